"""Checks of one job, and of the whole pipeline's keywords, beyond the schema."""

import re
from collections.abc import Iterator
from typing import Any

from inframind.categories.gitlab_ci import rules
from inframind.categories.gitlab_ci.expressions import ExpressionError, constant
from inframind.categories.gitlab_ci.pipeline import Pipeline, conditions
from inframind.categories.shared.formats import is_image
from inframind.categories.shared.values import listed, value_at
from inframind.types import Finding

# GitLab reads durations with the gem chronic_duration.
UNIT = (
    r"(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?"
    r"|d|days?|w|wks?|weeks?|mos?|months?|y|yrs?|years?)"
)
DURATION = re.compile(rf"(?:\d+(?:\.\d+)?\s*{UNIT}?(?:\s*(?:,|and)?\s*))+", re.I)
WORK = ("script", "run", "trigger")


def is_duration(text: str) -> bool:
    """Tell whether a text is a duration: `3 mins 4 sec`, `1 week`, `2h20min`, `42`, `never`.

    https://docs.gitlab.com/ci/yaml/#artifactsexpire_in
    """
    return (
        # 100 characters bound the pattern's search: spaces can be split among its repeats.
        text == "never" or "$" in text or (len(text) < 100 and DURATION.fullmatch(text) is not None)
    )


def images(part: dict[str, Any]) -> Iterator[str]:
    """Yield the image references of a job or of the defaults, those of services included."""
    for entry in [part.get("image"), *listed(part.get("services"))]:
        name = entry.get("name") if isinstance(entry, dict) else entry
        if isinstance(name, str):
            yield name


def findings(pipeline: Pipeline, name: str) -> Iterator[Finding]:
    """Check one job: its kind of work, its combinations of keywords, its formats, its rules."""
    job, line = pipeline.jobs[name], pipeline.line(name)
    work = [key for key in WORK if key in job]
    if not work and not pipeline.is_incomplete(name) and not pipeline.includes:
        yield rules.SCRIPT.finding(f"job {name} has no script, run or trigger", line)
    if len(work) > 1:
        yield rules.ONLY_ONE.finding(f"job {name} has {' and '.join(work)}: one of them", line)
    both = [key for key in ("only", "except") if key in job]
    if "rules" in job and both:
        yield rules.ONLY_ONE.finding(f"job {name}: rules cannot be used with {both[0]}", line)
    # https://docs.gitlab.com/ci/yaml/#when
    if job.get("when") == "never":
        yield rules.WHEN.finding(f"job {name}: `when: never` stands only in rules", line)
    for part in (job, *conditions(job)):
        if ("start_in" in part) != (part.get("when") == "delayed"):
            yield rules.ONLY_ONE.finding(
                f"job {name}: start_in and `when: delayed` go together", line
            )
    yield from format_findings(pipeline, name, job)
    yield from condition_findings(pipeline, job, name)


def format_findings(pipeline: Pipeline, name: str, job: dict[str, Any]) -> Iterator[Finding]:
    """Check the durations and images of one job."""
    durations = {
        "timeout": job.get("timeout"),
        "start_in": job.get("start_in"),
        "expire_in": value_at(job, "artifacts", "expire_in"),
        "auto_stop_in": value_at(job, "environment", "auto_stop_in"),
    }
    for key, value in durations.items():
        if isinstance(value, str) and not is_duration(value):
            yield rules.DURATION.finding(
                f"job {name}: {key} {value!r} is not a duration such as 30 mins or 1 week",
                pipeline.line(name),
            )
    for image in images(job):
        if "$" not in image and not is_image(image):
            yield rules.IMAGE.finding(
                f"{image!r} is not an image reference", pipeline.line(name, "image")
            )


def condition_findings(pipeline: Pipeline, part: dict[str, Any], *path: str) -> Iterator[Finding]:
    """Check that the expressions in `rules` can be read."""
    for index, rule in enumerate(listed(part.get("rules"))):
        condition = rule.get("if") if isinstance(rule, dict) else None
        try:
            constant(condition) if isinstance(condition, str) else None
        except ExpressionError as error:
            yield rules.EXPRESSION.finding(
                f"if: {error}", pipeline.line(*path, "rules", index, "if")
            )


def global_findings(pipeline: Pipeline) -> Iterator[Finding]:
    """Check the workflow's rules, the defaults' images and the variables' options."""
    workflow = pipeline.fields.get("workflow")
    yield from condition_findings(
        pipeline, workflow if isinstance(workflow, dict) else {}, "workflow"
    )
    for image in images(pipeline.defaults):
        if "$" not in image and not is_image(image):
            yield rules.IMAGE.finding(
                f"{image!r} is not an image reference", pipeline.line("default", "image")
            )
    for name, value in (pipeline.fields.get("variables") or {}).items():
        options = value.get("options") if isinstance(value, dict) else None
        if options and value.get("value") not in options:
            yield rules.OPTION.finding(
                f"{name}: the value is none of its options", pipeline.line("variables", name)
            )
