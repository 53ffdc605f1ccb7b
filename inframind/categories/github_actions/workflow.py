"""A parsed workflow: events, jobs and steps in their long forms, and which of them can ever run."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from inframind.categories.github_actions.constant import fold, is_truthy
from inframind.categories.shared.values import listed
from inframind.categories.shared.yaml import line_of


@dataclass(frozen=True)
class Workflow:
    """Hold the text of a workflow and its mapping."""

    text: str
    fields: dict[str, Any]

    def line(self, *path: str | int) -> int | None:
        """Find the 1-based line of a path."""
        return line_of(self.text, path)

    @cached_property
    def events(self) -> dict[str, Any]:
        """Map each event to its settings, whatever form `on` has."""
        # YAML 1.1 reads the bare key `on` as true.
        on = self.fields.get("on", self.fields.get("true"))
        if isinstance(on, str):
            return {on: {}}
        if isinstance(on, list):
            return {str(event): {} for event in on}
        return (
            {event: settings or {} for event, settings in on.items()}
            if isinstance(on, dict)
            else {}
        )

    @cached_property
    def jobs(self) -> dict[str, dict[str, Any]]:
        """Map each job's id to the job."""
        jobs = self.fields.get("jobs")
        return {name: job for name, job in (jobs or {}).items() if isinstance(job, dict)}

    def steps(self) -> Iterator[tuple[str, int, dict[str, Any]]]:
        """Yield (job, index, step) for all steps."""
        for name, job in self.jobs.items():
            for index, step in enumerate(job.get("steps") or ()):
                if isinstance(step, dict):
                    yield name, index, step

    @cached_property
    def running(self) -> frozenset[str]:
        """Collect the jobs that can run: no `if: false`, and none of their needs is such a job."""
        needed_by = {
            name: [str(need) for need in listed(job.get("needs"))]
            for name, job in self.jobs.items()
        }
        stopped = {name for name, job in self.jobs.items() if never(job)}
        while True:
            # A job whose need is skipped is skipped too (docs: jobs.<job_id>.needs).
            more = {
                name
                for name, needs in needed_by.items()
                if name not in stopped and stopped & set(needs)
            }
            if not more:
                return frozenset(needed_by) - stopped
            stopped |= more


def inputs_of(step: dict[str, Any]) -> dict[str, Any]:
    """Read the inputs of a step; none are known where `with` is an expression as a whole."""
    # GitHub evaluates such a `with`: `step-with` has contexts of its own in
    # https://github.com/actions/runner/blob/main/src/Sdk/DTPipelines/workflow-v1.0.json
    inputs = step.get("with")
    return inputs if isinstance(inputs, dict) else {}


def never(part: dict[str, Any]) -> bool:
    """Tell whether the `if` of a job or step is false whatever happens."""
    condition = part.get("if")
    if isinstance(condition, str):
        inner = condition.strip()
        if inner.startswith("${{") and inner.endswith("}}"):
            inner = inner[3:-2]
        # Text around an expression makes the condition a text, which is true.
        return "${{" not in inner and is_truthy(fold(inner)) is False
    return condition is False or condition == 0
