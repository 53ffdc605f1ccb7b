"""Jobs as docs/contracts/task.md describes them: defaults applied, short forms written out."""

from collections.abc import Callable
from typing import Any

from inframind.categories.gitlab_ci.pipeline import DEFAULTABLE, Pipeline, merged
from inframind.categories.shared.values import listed, value_at

SCRIPTS = ("before_script", "script", "after_script")


def scalar(value: Any) -> str:
    """Write a variable's value as the shell sees it."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def variables(value: Any) -> dict[str, str]:
    """Read variables as texts, those with `value` and a description included."""
    written = value if isinstance(value, dict) else {}
    return {
        name: scalar(v.get("value", "") if isinstance(v, dict) else v)
        for name, v in written.items()
    }


def named(value: Any) -> Any:
    """Read a bare name as a mapping with `name`."""
    return {"name": value} if isinstance(value, str) else value


def filters(value: Any) -> Any:
    """Read a list of `only` or `except` as a mapping with `refs`."""
    return {"refs": value} if isinstance(value, list) else value


def retry(value: Any) -> Any:
    """Read a number of retries as a mapping with `max`."""
    return {"max": value} if isinstance(value, int) else value


def long_needs(job: dict[str, Any]) -> list[dict[str, Any]]:
    """List the `needs` of a job, and of its rules, as mappings."""
    rules = [rule for rule in listed(job.get("rules")) if isinstance(rule, dict)]
    needs = [
        *listed(job.get("needs")),
        *(need for rule in rules for need in listed(rule.get("needs"))),
    ]
    return [need if isinstance(need, dict) else {"job": need} for need in needs]


def with_defaults(pipeline: Pipeline, job: dict[str, Any]) -> dict[str, Any]:
    """Add to a job what it inherits (https://docs.gitlab.com/ci/yaml/#inherit)."""
    inherit = value_at(job, "inherit") or {}
    wanted, shared = inherit.get("default", True), inherit.get("variables", True)
    keys = DEFAULTABLE if wanted is True else listed(wanted or None)
    taken = (
        {key: value for key, value in pipeline.defaults.items() if key in keys}
        if "trigger" not in job
        else {}
    )
    common = variables(pipeline.fields.get("variables"))
    common = (
        common
        if shared is True
        else {name: common[name] for name in listed(shared or None) if name in common}
    )
    return taken | job | {"variables": common | variables(job.get("variables"))}


def long_form(pipeline: Pipeline, name: str) -> dict[str, Any]:
    """Write a job out as it runs."""
    job = with_defaults(pipeline, pipeline.jobs[name])
    readers: dict[str, Callable[[Any], Any]] = {
        "image": named,
        "environment": named,
        "services": lambda value: [named(item) for item in listed(value)],
        "cache": listed,
        "only": filters,
        "except": filters,
        "retry": retry,
        "needs": lambda value: long_needs({"needs": value}),
        "trigger": lambda value: {"project": value} if isinstance(value, str) else value,
    }
    for key in SCRIPTS:
        if key in job:
            job[key] = [str(line).strip() for line in listed(job[key])]
    job = {
        key: readers[key](value) if key in readers else value
        for key, value in job.items()
        if key != "inherit"
    }
    return merged({"stage": "test", "when": "on_success"}, job)


def pipeline_fields(pipeline: Pipeline) -> dict[str, Any]:
    """Collect the pipeline's own fields: stages, variables, defaults, workflow and includes."""
    fields = pipeline.fields
    return {
        "stages": [stage for stage in pipeline.stages if stage not in (".pre", ".post")],
        "variables": variables(fields.get("variables")),
        "default": {
            "image": named(pipeline.defaults.get("image")),
            **{key: value for key, value in pipeline.defaults.items() if key != "image"},
        },
        "workflow": fields.get("workflow") or {},
        "include": [
            {"local": item} if isinstance(item, str) else item
            for item in listed(fields.get("include"))
        ],
        "inputs": pipeline.inputs,
    }
