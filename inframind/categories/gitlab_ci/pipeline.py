"""The parsed pipeline: inputs, `!reference`, `extends` and defaults resolved; jobs that can run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from inframind.categories.gitlab_ci.expressions import ExpressionError, constant
from inframind.categories.shared.values import listed, value_at
from inframind.categories.shared.yaml import line_of

# `types` is what `stages` was called first.
GLOBAL = frozenset(
    "image services before_script after_script variables cache default stages include workflow "
    "spec types".split()
)
# https://docs.gitlab.com/ci/yaml/#default
DEFAULTABLE = tuple(
    "after_script artifacts before_script cache hooks id_tokens identity image interruptible "
    "retry services tags timeout".split()
)
# https://docs.gitlab.com/ci/yaml/#stages: those of a pipeline that names none.
DEFAULT_STAGES = ("build", "test", "deploy")
# https://docs.gitlab.com/ci/yaml/#extends and yaml_optimization/#reference-tags
MAX_EXTENDS, MAX_REFERENCES = 11, 10
MAX_EXPANSIONS = 2_000
"""Of `extends` and `!reference` together: each may name several that name several more."""
# https://docs.gitlab.com/ci/inputs/: functions may follow the name behind a bar.
INPUT = re.compile(r"\$\[\[\s*inputs\.([\w-]+)[^\]]*\]\]")


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Merge mappings; everything else is replaced.

    https://docs.gitlab.com/ci/yaml/yaml_optimization/#merge-details
    """
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        result[key] = (
            merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
        )
    return result


@dataclass(frozen=True)
class Problem:
    """Record a name that could not be resolved.

    `kind` is `extends`, `reference`, `input` or `cycle`; `foreign` if an include may have it.
    """

    kind: str
    message: str
    job: str
    foreign: bool = False


@dataclass(frozen=True)
class Pipeline:
    """Hold the text, the mapping as written, and the `spec` of its header."""

    text: str
    written: dict[str, Any]
    header: dict[str, Any] = field(default_factory=dict)
    start: int = 0
    problems: list[Problem] = field(default_factory=list)
    """Complete once `jobs` was read."""
    expansions: list[None] = field(default_factory=list)

    def line(self, *path: str | int) -> int | None:
        """Find the 1-based line of a path."""
        return line_of(self.text, path, self.start)

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """Map each input of the header to its settings."""
        inputs = value_at(self.header, "spec", "inputs")
        return (
            {name: value or {} for name, value in inputs.items()}
            if isinstance(inputs, dict)
            else {}
        )

    @property
    def includes(self) -> bool:
        """Tell whether other files belong to the pipeline: they are not fetched."""
        return bool(self.written.get("include"))

    @cached_property
    def fields(self) -> dict[str, Any]:
        """Resolve inputs and `!reference`; what cannot be is left out and becomes a problem."""
        root = self._with_inputs(self.written, "")
        values = {name: self._resolved(value, root, name, 0) for name, value in root.items()}
        return {name: value for name, value in values.items() if value is not MISSING}

    def _with_inputs(self, node: Any, job: str) -> Any:
        if isinstance(node, dict):
            return {
                self._with_input(key, job): self._with_inputs(value, job or key)
                for key, value in node.items()
            }
        if isinstance(node, list):
            return [self._with_inputs(item, job) for item in node]
        if not isinstance(node, str) or "$[[" not in node:
            return node
        # An input that is the whole value keeps its type: a number, a list.
        whole = INPUT.fullmatch(node)
        if whole and value_at(self.inputs, whole.group(1), "default") is not None:
            return self.inputs[whole.group(1)]["default"]
        return self._with_input(node, job)

    def _with_input(self, text: str, job: str) -> str:
        def value(match: re.Match[str]) -> str:
            name = match.group(1)
            if name not in self.inputs:
                self.problems.append(Problem("input", f"the header has no input {name!r}", job))
            default = value_at(self.inputs, name, "default")
            return match.group() if default is None else str(default)

        return INPUT.sub(value, text) if "$[[" in text else text

    def _resolved(self, node: Any, root: dict[str, Any], job: str, deep: int) -> Any:
        if isinstance(node, list):
            items: list[Any] = []
            for item in node:
                value = self._resolved(item, root, job, deep)
                # GitLab flattens lists in lists, which anchors and references make.
                items += value if isinstance(value, list) else [] if value is MISSING else [value]
            return items if items or not node else MISSING
        if not isinstance(node, dict):
            return node
        if set(node) == {"!reference"}:
            return self._referred(listed(node["!reference"]), root, job, deep)
        values = {key: self._resolved(value, root, job, deep) for key, value in node.items()}
        return {key: value for key, value in values.items() if value is not MISSING}

    def _referred(self, path: list[Any], root: dict[str, Any], job: str, deep: int) -> Any:
        target = value_at(root, *map(str, path)) if path else None
        shown = ", ".join(map(str, path))
        if deep >= MAX_REFERENCES or self._exhausted():
            self.problems.append(
                Problem(
                    "reference", f"!reference [{shown}] is nested over {MAX_REFERENCES} deep", job
                )
            )
        elif target is not None:
            return self._resolved(target, root, job, deep + 1)
        else:
            self.problems.append(
                Problem("reference", f"!reference [{shown}] leads to nothing", job, self.includes)
            )
        return MISSING

    @property
    def without_null(self) -> dict[str, Any]:
        """Leave out `keyword: null` of jobs that extend others.

        It takes away what `extends` would bring, and is no value of its own.
        """
        return {
            name: {key: value for key, value in part.items() if value is not None}
            if isinstance(part, dict) and "extends" in part
            else part
            for name, part in self.fields.items()
        }

    @cached_property
    def jobs(self) -> dict[str, dict[str, Any]]:
        """Map each visible job to its own fields with `extends` merged."""
        return {
            name: self._extended(name, (name,))
            for name, job in self.fields.items()
            if name not in GLOBAL and not name.startswith(".") and isinstance(job, dict)
        }

    def _extended(self, name: str, chain: tuple[str, ...]) -> dict[str, Any]:
        job = self.fields[name]
        result: dict[str, Any] = {}
        for parent in map(str, listed(job.get("extends"))):
            if parent in chain or len(chain) > MAX_EXTENDS or self._exhausted():
                self.problems.append(
                    Problem(
                        "cycle", f"extends goes in a circle or too deep at {parent!r}", chain[0]
                    )
                )
            elif isinstance(self.fields.get(parent), dict) and parent not in GLOBAL:
                result = merged(result, self._extended(parent, (*chain, parent)))
            else:
                self.problems.append(
                    Problem(
                        "extends",
                        f"{name} extends {parent!r}, which is not there",
                        chain[0],
                        self.includes,
                    )
                )
        job = {key: value for key, value in job.items() if key != "extends"}
        return {key: value for key, value in merged(result, job).items() if value is not None}

    def _exhausted(self) -> bool:
        self.expansions.append(None)
        return len(self.expansions) > MAX_EXPANSIONS

    @cached_property
    def stages(self) -> tuple[str, ...]:
        """List all stages in order, with those that are always there."""
        written = self.fields.get("stages")
        names = (
            [str(stage) for stage in written] if isinstance(written, list) else list(DEFAULT_STAGES)
        )
        # GitLab keeps both at the ends, wherever `stages` lists them.
        return (".pre", *(name for name in names if name not in (".pre", ".post")), ".post")

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """Collect the keywords that every job takes unless it has its own.

        They stand in `default` or, the old way, at the top.
        """
        default = self.fields.get("default")
        top = {key: self.fields[key] for key in DEFAULTABLE if key in self.fields}
        return top | (default if isinstance(default, dict) else {})

    def is_incomplete(self, name: str) -> bool:
        """Tell whether a part of the job could not be resolved."""
        extends = "extends" in self.fields[name]
        return any(problem.job == name or extends for problem in self.problems)

    @cached_property
    def running(self) -> frozenset[str]:
        """Collect the jobs that some pipeline has. Those of `.pre` and `.post` alone make none."""
        if not may_run(self.fields.get("workflow") or {}):
            return frozenset()
        # https://docs.gitlab.com/ci/yaml/#stage-pre: such a pipeline is not created.
        names = frozenset(
            name for name, job in self.jobs.items() if may_run(job) and not _excluded(job)
        )
        return (
            names
            if any(self.stage(name) not in (".pre", ".post") for name in names) or self.includes
            else frozenset()
        )

    def stage(self, name: str) -> str:
        """Name the job's stage; `test` by default."""
        return str(self.jobs[name].get("stage", "test"))


MISSING: Any = object()


def conditions(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the `rules` of a job or workflow."""
    yield from (rule for rule in listed(part.get("rules")) if isinstance(rule, dict))


def may_run(part: dict[str, Any]) -> bool:
    """Tell whether some rule adds the job.

    The first rule that holds decides, and one of `when: never` removes the job.
    """
    if "rules" not in part:
        return True
    for rule in conditions(part):
        truth = _constant(rule.get("if"))
        if truth is False:
            continue
        if rule.get("when", part.get("when")) != "never":
            return True
        if truth is True and not rule.get("changes") and not rule.get("exists"):
            return False
    return False


def _constant(condition: Any) -> bool | None:
    if condition is None:
        return True
    try:
        return constant(str(condition))
    except ExpressionError:
        return None


def _excluded(job: dict[str, Any]) -> bool:
    """Tell whether `only` and `except` leave no pipeline.

    Without `only`, a job is for branches and tags.
    """
    only, other = (
        part.get("refs") if isinstance(part := job.get(key), dict) else part
        for key in ("only", "except")
    )
    nothing = only == [] or job.get("only") == {}
    return nothing or (
        "only" not in job
        and isinstance(other, list)
        and {"branches", "tags"} <= set(map(str, other))
    )
