"""Argo Workflows, the format of Kubeflow's pipelines: checks of `argo lint` beyond the schema."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from inframind.categories.base import Resource
from inframind.categories.kubernetes import rules as kubernetes_rules
from inframind.categories.kubernetes.document import Item, Manifest
from inframind.categories.mlops import rules
from inframind.categories.shared.formats import cron_error
from inframind.categories.shared.values import cycle, repeated
from inframind.types import Finding

KINDS = ("Workflow", "CronWorkflow", "WorkflowTemplate", "ClusterWorkflowTemplate")
# Outputs of a template are parameters of others: only these two scopes are declared here.
USED = re.compile(r"\{\{\s*(inputs|workflow)\.parameters\.([A-Za-z0-9_-]+)\s*\}\}")
# Argo evaluates `when` with govaluate: these constants are false there for every input.
NEVER = re.compile(
    r"\s*(?:\{\{=?)?\s*(?:false|0\s*==\s*1|1\s*==\s*0|1\s*>\s*1"
    r"|'?(\w+)'?\s*!=\s*'?\1'?)\s*(?:\}\})?\s*"
)


def spec_of(item: Item) -> dict[str, Any] | None:
    """Return the workflow's spec, or None if the object is no workflow."""
    if item.kind not in KINDS:
        return None
    spec = item.at("spec", "workflowSpec") if item.kind == "CronWorkflow" else item.at("spec")
    return spec if isinstance(spec, dict) else None


def templates_of(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """List the workflow's templates."""
    return [template for template in spec.get("templates") or () if isinstance(template, dict)]


def tasks_of(template: dict[str, Any]) -> list[dict[str, Any]]:
    """List the steps or DAG tasks of a template."""
    tasks = [
        task for task in (template.get("dag") or {}).get("tasks") or () if isinstance(task, dict)
    ]
    for group in template.get("steps") or ():
        steps = group if isinstance(group, list) else [group]
        tasks += [step for step in steps if isinstance(step, dict)]
    return tasks


def field_findings(manifest: Manifest, item: Item) -> Iterator[Finding]:
    """Check the schedules of a CronWorkflow."""
    if item.kind == "CronWorkflow":
        # `schedules` came with Argo 3.6; `schedule` is its older form.
        schedules = [item.at("spec", "schedule"), *(item.at("spec", "schedules") or ())]
        if not any(schedules):
            yield kubernetes_rules.CRON.finding(
                "the workflow has no schedule: give schedules", manifest.line(item, "spec")
            )
        for schedule in schedules:
            if schedule and (error := cron_error(str(schedule))):
                yield kubernetes_rules.CRON.finding(error, manifest.line(item, "spec"))


def reference_findings(manifest: Manifest, item: Item) -> Iterator[Finding]:
    """Check the entrypoint, templates, tasks, dependencies and parameters of a workflow."""
    spec = spec_of(item)
    if spec is None:
        return
    line = manifest.line(item, "spec")
    templates = templates_of(spec)
    names = Counter(str(template.get("name")) for template in templates)
    for name, count in repeated(names):
        yield rules.DUPLICATE.finding(f"{count} templates are called {name!r}", line)
    # The referred template brings the entrypoint, templates and parameters.
    whole = spec.get("workflowTemplateRef")
    if not whole and item.kind in ("Workflow", "CronWorkflow") and not spec.get("entrypoint"):
        yield rules.TEMPLATE.finding("spec.entrypoint names the template that runs first", line)
    for wanted in (spec.get("entrypoint"), spec.get("onExit")):
        if wanted and not whole and wanted not in names:
            yield rules.TEMPLATE.finding(f"there is no template {wanted!r}", line)
    parameters = {
        str(parameter.get("name"))
        for parameter in (spec.get("arguments") or {}).get("parameters") or ()
    }
    for template in templates:
        yield from _task_findings(template, set(names), line)
        yield from _parameter_findings(template, None if whole else parameters, line)


def _task_findings(
    template: dict[str, Any], names: set[str], line: int | None
) -> Iterator[Finding]:
    tasks = tasks_of(template)
    task_names = {str(task.get("name")) for task in tasks}
    for task in tasks:
        target = task.get("template")
        if target and target not in names:
            yield rules.TEMPLATE.finding(
                f"task {task.get('name')}: there is no template {target!r}", line
            )
        if not (target or task.get("templateRef") or task.get("inline")):
            yield rules.TEMPLATE.finding(f"task {task.get('name')} names no template", line)
        # `depends`, the other way to name them, is an expression and is not read.
        for other in task.get("dependencies") or ():
            if other not in task_names:
                yield rules.TEMPLATE.finding(
                    f"task {task.get('name')} depends on {other!r}, which does not exist", line
                )
    circle = cycle(
        {
            str(task.get("name")): [str(name) for name in task.get("dependencies") or ()]
            for task in tasks
        }
    )
    if circle:
        yield rules.CYCLE.finding(f"tasks wait for one another: {' -> '.join(circle)}", line)


def _parameter_findings(
    template: dict[str, Any], workflow: set[str] | None, line: int | None
) -> Iterator[Finding]:
    inputs = {
        str(parameter.get("name"))
        for parameter in (template.get("inputs") or {}).get("parameters") or ()
    }
    for scope, name in sorted(set(USED.findall(str({**template, "outputs": None})))):
        declared = inputs if scope == "inputs" else workflow
        if declared is not None and name not in declared:
            yield rules.PARAMETER.finding(
                f"template {template.get('name')} uses {scope}.parameters.{name}, which is not "
                "declared",
                line,
            )


def pruned(fields: dict[str, Any]) -> dict[str, Any]:
    """Copy an object without the tasks whose `when` is never true."""
    if fields.get("kind") not in KINDS:
        return fields
    alive: dict[str, Any] = _without_dead(fields)
    return alive


def _without_dead(node: Any) -> Any:
    if isinstance(node, list):
        return [
            _without_dead(item)
            for item in node
            if not (isinstance(item, dict) and NEVER.fullmatch(str(item.get("when", ""))))
        ]
    return (
        {key: _without_dead(value) for key, value in node.items()}
        if isinstance(node, dict)
        else node
    )


def links(resource: Resource) -> Iterator[tuple[str, str, Any]]:
    """Yield (path, kind, name) of what a workflow refers to."""
    if resource.kind in ("Workflow", "CronWorkflow"):
        spec = resource.fields.get("spec") or {}
        path = "spec.workflowSpec" if resource.kind == "CronWorkflow" else "spec"
        reference = (
            (spec.get("workflowSpec") or {}) if resource.kind == "CronWorkflow" else spec
        ).get("workflowTemplateRef") or {}
        kind = "ClusterWorkflowTemplate" if reference.get("clusterScope") else "WorkflowTemplate"
        yield f"{path}.workflowTemplateRef.name", kind, reference.get("name")
