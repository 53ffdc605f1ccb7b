"""MLflow projects: the `MLproject` file, read as mlflow 3.17 does.

https://mlflow.org/docs/latest/ml/projects/
"""

from collections.abc import Iterator
from dataclasses import dataclass
from string import Formatter
from typing import Any

from inframind.categories.base import Configuration, Resource, Rule
from inframind.categories.kubernetes import rules as kubernetes_rules
from inframind.categories.mlops import rules
from inframind.categories.shared.formats import is_image
from inframind.categories.shared.policies import is_unpinned
from inframind.categories.shared.yaml import line_of
from inframind.types import Finding

ENVIRONMENTS = ("python_env", "conda_env", "docker_env")
FIELDS = ("name", *ENVIRONMENTS, "entry_points", "databricks_spark_job")
TYPES = ("string", "float", "path", "uri")


@dataclass(frozen=True)
class Project:
    """Hold a parsed MLproject file."""

    text: str
    fields: dict[str, Any]

    def finding(self, rule: Rule, message: str, *path: str) -> Finding:
        return rule.finding(message, line_of(self.text, path))


def is_project(fields: Any) -> bool:
    """Tell whether a mapping is an MLproject rather than an object."""
    return isinstance(fields, dict) and "entry_points" in fields and "apiVersion" not in fields


def schema_findings(project: Project) -> Iterator[Finding]:
    """Check the fields, the environment and the entry points of an MLproject."""
    for key in project.fields.keys() - set(FIELDS):
        yield project.finding(
            rules.PROJECT.unknown, f"{key!r} is not a field: {', '.join(FIELDS)}", key
        )
    environments = [key for key in ENVIRONMENTS if project.fields.get(key) is not None]
    if len(environments) > 1:
        yield project.finding(
            rules.ENVIRONMENT,
            f"only one environment: {', '.join(environments)} are given",
            environments[1],
        )
    for key in ("name", "python_env", "conda_env"):
        if not isinstance(project.fields.get(key, ""), str):
            yield project.finding(rules.PROJECT.type, f"{key} is a text", key)
    docker = project.fields.get("docker_env")
    if docker is not None and not (
        isinstance(docker, dict)
        and isinstance(docker.get("image"), str)
        and is_image(docker["image"])
    ):
        yield project.finding(rules.PROJECT.missing, "docker_env needs an image", "docker_env")
    points = project.fields["entry_points"]
    if not isinstance(points, dict) or not points:
        yield project.finding(
            rules.PROJECT.type, "entry_points maps names to commands", "entry_points"
        )
        return
    for name, point in points.items():
        yield from _point_findings(project, name, point)


def _point_findings(project: Project, name: str, point: Any) -> Iterator[Finding]:
    here = ("entry_points", name)
    if (
        not isinstance(point, dict)
        or not isinstance(point.get("command"), str)
        or point.keys() - {"command", "parameters"}
    ):
        message = f"entry point {name}: give a command, and parameters if it has some"
        yield project.finding(rules.PROJECT.missing, message, *here)
        return
    parameters = point.get("parameters") or {}
    if not isinstance(parameters, dict):
        message = f"entry point {name}: parameters maps names to types"
        yield project.finding(rules.PROJECT.type, message, *here)
        return
    for key, parameter in parameters.items():
        kind = parameter.get("type", "string") if isinstance(parameter, dict) else parameter
        if kind not in TYPES or (
            isinstance(parameter, dict) and parameter.keys() - {"type", "default"}
        ):
            yield project.finding(
                rules.PROJECT.value,
                f"parameter {key}: a type of {', '.join(TYPES)}, or {{type, default}}",
                *here,
                "parameters",
                key,
            )


def placeholders(command: str) -> list[str] | None:
    """List the names in `{}` of a command; None if it is no format string."""
    try:
        # mlflow fills commands with str.format.
        return [name for _, name, _, _ in Formatter().parse(command) if name is not None]
    except ValueError:
        return None


def reference_findings(project: Project) -> Iterator[Finding]:
    """Check that commands use declared parameters."""
    for name, point in project.fields["entry_points"].items():
        line = line_of(project.text, ("entry_points", name))
        used = placeholders(point["command"])
        if used is None:
            yield rules.PROJECT_PARAMETER.finding(
                f"entry point {name}: write literal braces as {{{{ and }}}}", line
            )
        for key in sorted(set(used or ()) - (point.get("parameters") or {}).keys()):
            yield rules.PROJECT_PARAMETER.finding(
                f"entry point {name}: {{{key}}} is not declared in parameters", line
            )


def effective(project: Project) -> Configuration:
    """Collect the `project`, and each `entry_point` with its parameters in the long form."""
    points = []
    for name, point in project.fields["entry_points"].items():
        parameters = {
            key: value if isinstance(value, dict) else {"type": value}
            for key, value in (point.get("parameters") or {}).items()
        }
        points.append(
            Resource(
                "entry_point",
                name,
                point | {"parameters": parameters},
                line_of(project.text, ("entry_points", name)),
            )
        )
    fields = {key: value for key, value in project.fields.items() if key != "entry_points"}
    return Configuration((Resource("project", str(fields.get("name", "")), fields, 1), *points))


def policy_findings(project: Project) -> Iterator[Finding]:
    """Judge whether the image has a version."""
    image = (project.fields.get("docker_env") or {}).get("image")
    if image and is_unpinned(image):
        yield kubernetes_rules.LATEST.finding(
            f"{image} has no fixed tag", line_of(project.text, ("docker_env", "image"))
        )
