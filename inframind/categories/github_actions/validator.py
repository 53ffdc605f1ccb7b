"""GitHub Actions workflows: the schema, what the runner refuses beyond it, and contexts."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import jsonschema_rs

from inframind.categories.base import Category, Configuration, Evidence, Link, Resource
from inframind.categories.github_actions import expressions, policy, rules
from inframind.categories.github_actions.workflow import Workflow, inputs_of, never
from inframind.categories.shared import json_schema
from inframind.categories.shared.formats import cron_error
from inframind.categories.shared.values import cycle, listed, repeated, texts
from inframind.categories.shared.yaml import yaml_mapping
from inframind.types import Finding

PACKAGE = "inframind.categories.github_actions"
ON, JOBS = re.compile(r"^['\"]?on['\"]?:", re.M), re.compile(r"^jobs:", re.M)
USES = re.compile(r"(?:[\w.-]+/[\w.-]+(?:/[\w./-]+)?@[\w./+-]+|\./.*|docker://\S+)")
# https://github.com/actions/runner-images: labels whose images are gone.
RETIRED = frozenset(
    "ubuntu-16.04 ubuntu-18.04 ubuntu-20.04 macos-10.15 macos-11 macos-12 macos-13 windows-2016 "
    "windows-2019 vs2017-win2016".split()
)
SHELLS = frozenset({"bash", "pwsh", "python", "sh", "cmd", "powershell"})
ACTION_INPUTS: dict[str, frozenset[str]] = {
    "actions/setup-python": frozenset(
        "python-version python-version-file cache architecture check-latest token "
        "cache-dependency-path update-environment allow-prereleases freethreaded pip-version "
        "pip-install".split()
    ),
    "actions/setup-node": frozenset(
        "always-auth node-version node-version-file architecture check-latest registry-url scope "
        "token cache package-manager-cache cache-dependency-path mirror mirror-token".split()
    ),
    "actions/checkout": frozenset(
        "repository ref token ssh-key ssh-known-hosts ssh-strict ssh-user persist-credentials path "
        "clean filter sparse-checkout sparse-checkout-cone-mode fetch-depth fetch-tags "
        "show-progress lfs submodules set-safe-directory github-server-url".split()
    ),
}
"""From the `action.yml` of the newest release of each action."""


@cache
def schema() -> jsonschema_rs.Validator:
    """Compile the workflow schema, once a process."""
    return jsonschema_rs.validator_for(json_schema.load(PACKAGE, "schema")["schema"])


def job_findings(workflow: Workflow, name: str, job: dict[str, Any]) -> Iterator[Finding]:
    """Check the runner, the steps and the reusable workflow of one job."""
    line = workflow.line("jobs", name)
    if "uses" not in job and not job.get("steps"):
        yield rules.JOBS.finding(f"job {name} has no steps", line)
    if isinstance(job.get("uses"), str) and not USES.fullmatch(job["uses"]):
        yield rules.USES.finding(
            f"{job['uses']!r}: write owner/repository/.github/workflows/file@ref", line
        )
    for label in listed(job.get("runs-on")):
        if isinstance(label, str) and label in RETIRED:
            yield rules.RUNNER.finding(
                f"{label} is retired: use {label.split('-')[0]}-latest", line
            )


def step_findings(
    workflow: Workflow, name: str, index: int, step: dict[str, Any]
) -> Iterator[Finding]:
    """Check the action, the inputs and the shell of one step."""
    line = workflow.line("jobs", name, "steps")
    uses = step.get("uses")
    if isinstance(uses, str):
        if not USES.fullmatch(uses):
            yield rules.USES.finding(
                f"{uses!r}: write owner/action@version", workflow.line("jobs", name, "uses")
            )
        inputs = inputs_of(step).keys()
        for key in sorted(inputs - ACTION_INPUTS.get(uses.partition("@")[0], inputs)):
            yield rules.INPUT.finding(
                f"{uses} has no input {key!r}", workflow.line("jobs", name, key)
            )
    shell = step.get("shell")
    # A shell of one's own has `{0}` where the path of the script goes.
    if isinstance(shell, str) and shell not in SHELLS and "{0}" not in shell and "${{" not in shell:
        yield rules.SHELL.finding(f"step {index + 1} of {name}: shell {shell!r} is unknown", line)


def event_findings(workflow: Workflow) -> Iterator[Finding]:
    """Check schedules and filters."""
    for entry in listed(workflow.events.get("schedule")):
        if isinstance(entry, dict) and isinstance(entry.get("cron"), str):
            # GitHub knows no `@daily` and the like (docs: schedule).
            error = cron_error(entry["cron"], macros=False)
            if error:
                yield rules.CRON.finding(error, workflow.line("on", "schedule", "cron"))
    for event, settings in workflow.events.items():
        for key in ("branches", "tags", "paths"):
            if isinstance(settings, dict) and key in settings and f"{key}-ignore" in settings:
                yield rules.FILTER.finding(
                    f"{event}: {key} and {key}-ignore exclude one another",
                    workflow.line("on", event),
                )


def needs_findings(workflow: Workflow) -> Iterator[Finding]:
    """Check that needed jobs exist and form no circle."""
    needs = {
        name: [str(need) for need in listed(job.get("needs"))]
        for name, job in workflow.jobs.items()
    }
    for name, wanted in needs.items():
        for other in wanted:
            if other not in needs:
                yield rules.NEEDS.finding(
                    f"job {name} needs {other!r}, which is not a job",
                    workflow.line("jobs", name, "needs"),
                )
    if circle := cycle(needs):
        yield rules.CYCLE.finding(f"jobs need one another in a circle: {' -> '.join(circle)}")


def expression_uses(
    part: Any, workflow: Workflow, line: int | None, findings: list[Finding]
) -> list[expressions.Use]:
    """List the contexts used below a node; an unreadable expression is added to `findings`."""
    used: list[expressions.Use] = []
    bare = (
        [str(part["if"])]
        if isinstance(part, dict) and isinstance(part.get("if"), str) and "${{" not in part["if"]
        else []
    )
    try:
        for expression in [*bare, *(e for text in texts(part) for e in expressions.inside(text))]:
            used += expressions.uses(expression)
    except expressions.ExpressionError as error:
        findings.append(rules.EXPRESSION.finding(str(error), line))
    return used


def context_findings(workflow: Workflow) -> Iterator[Finding]:
    """Check that `needs.x`, `steps.x` and `matrix` name what is there."""
    findings: list[Finding] = []
    for name, job in workflow.jobs.items():
        line = workflow.line("jobs", name)
        direct = {str(need) for need in listed(job.get("needs"))}
        rest = {key: value for key, value in job.items() if key not in ("steps", "outputs")}
        used = expression_uses(rest, workflow, line, findings)
        earlier: set[str] = set()
        ids = {
            str(step["id"])
            for step in job.get("steps") or ()
            if isinstance(step, dict) and "id" in step
        }
        for step in job.get("steps") or ():
            in_step = expression_uses(step, workflow, line, findings)
            used += in_step
            missing = (
                {use.first for use in in_step if use.context == "steps"}
                - earlier
                - ({str(step.get("id"))} & ids)
                - {""}
            )
            findings += [
                rules.CONTEXT.finding(f"job {name}: no step before has the id {i!r}", line)
                for i in sorted(missing)
            ]
            earlier |= {str(step["id"])} if "id" in step else set()
        used += expression_uses(job.get("outputs"), workflow, line, findings)
        for use in used:
            if use.context == "needs" and use.first and use.first not in direct:
                findings.append(
                    rules.CONTEXT.finding(
                        f"job {name} does not need {use.first!r}: list it in needs", line
                    )
                )
            if use.context == "matrix" and "strategy" not in job:
                findings.append(rules.CONTEXT.finding(f"job {name} has no matrix", line))
    yield from findings


def version_of(uses: str) -> tuple[str, str | None]:
    """Split `owner/action@version`; the version is None without `@`."""
    action, separator, version = uses.partition("@")
    return action, version if separator else None


class GitHubActions(Category[Workflow]):
    """The category `github-actions`."""

    id = "github-actions"
    title = "GitHub Actions"
    languages = ("yaml", "yml", "github-actions")
    filename = ".github/workflows/workflow.yaml"
    rules = rules.RULES

    def detect(self, text: str, filename: str | None) -> Evidence:
        is_workflow = ON.search(text) and JOBS.search(text)
        return Evidence.LIKELY if is_workflow else Evidence.NONE

    def parse(self, text: str) -> Workflow:
        fields = yaml_mapping(text, rules.YAML, "a workflow is one mapping with on and jobs")
        return Workflow(text, fields)

    def schema(self, document: Workflow) -> Sequence[Finding]:
        findings = json_schema.findings(schema(), document.fields, rules.FIELDS, document.text)
        if findings:
            return findings
        if not document.jobs:
            return [rules.JOBS.finding("there are no jobs", document.line("jobs"))]
        findings = [
            f for name, job in document.jobs.items() for f in job_findings(document, name, job)
        ]
        findings += [
            f
            for name, index, step in document.steps()
            for f in step_findings(document, name, index, step)
        ]
        return findings + list(event_findings(document))

    def references(self, document: Workflow) -> Sequence[Finding]:
        findings = [*needs_findings(document), *context_findings(document)]
        for name, job in document.jobs.items():
            ids = (
                step["id"]
                for step in job.get("steps") or ()
                if isinstance(step, dict) and "id" in step
            )
            findings += [
                rules.DUPLICATE.finding(
                    f"job {name}: {count} steps have the id {step!r}", document.line("jobs", name)
                )
                for step, count in repeated(ids)
            ]
        return findings

    def effective(self, document: Workflow) -> Configuration:
        """Collect the workflow, and the jobs and steps that can run, in long forms."""
        fields = {key: value for key, value in document.fields.items() if key != "true"} | {
            "on": document.events
        }
        resources = [Resource("workflow", str(document.fields.get("name", "")), fields, 1)]
        links = []
        for name in (name for name in document.jobs if name in document.running):
            job = document.jobs[name]
            needs = [str(need) for need in listed(job.get("needs"))]
            matrix = (job.get("strategy") or {}).get("matrix")
            links += [Link(len(resources), "needs", "job", need) for need in needs]
            long = job | {"needs": needs, "runs-on": listed(job.get("runs-on")), "matrix": matrix}
            resources.append(Resource("job", name, long, document.line("jobs", name)))
        for name, index, step in document.steps():
            if name in document.running and not never(step):
                action, version = version_of(str(step.get("uses", "")))
                long = step | {
                    "job": name,
                    "index": index,
                    "action": action or None,
                    "version": version,
                }
                if isinstance(step.get("run"), str):
                    long["run"] = step["run"].strip()
                label = str(step.get("name") or step.get("id") or action)
                resources.append(
                    Resource("step", label, long, document.line("jobs", name, "steps"))
                )
        return Configuration(tuple(resources), tuple(links))

    def policy(self, document: Workflow) -> Sequence[Finding]:
        return list(policy.findings(document))


CATEGORY = GitHubActions()
