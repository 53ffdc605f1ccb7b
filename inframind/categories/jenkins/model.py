"""The declarative pipeline as a tree of stages, with the errors of its structure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from inframind.categories.base import Rule
from inframind.categories.jenkins import rules
from inframind.categories.jenkins.syntax import Source, Statement
from inframind.categories.jenkins.vocabulary import (
    CONTENTS,
    MATRIX_SECTIONS,
    PIPELINE_SECTIONS,
    STAGE_SECTIONS,
)
from inframind.categories.shared.values import repeated
from inframind.types import Finding

Sections = dict[str, Statement]


@dataclass
class Stage:
    """Hold one stage. `content` is the kind of its content, `parent` the stage around it."""

    name: str
    line: int
    sections: Sections
    parent: "Stage | None"
    content: str | None
    children: list["Stage"] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Join the names of the stages around it and its own: `outer/inner`."""
        return f"{self.parent.path}/{self.name}" if self.parent else self.name

    @property
    def is_parallel(self) -> bool:
        """Tell whether the stage runs beside its siblings."""
        return self.parent is not None and self.parent.content == "parallel"

    def below(self) -> Iterator["Stage"]:
        """Yield the stage and all stages in it."""
        yield self
        for child in self.children:
            yield from child.below()


class Pipeline:
    """Hold the parsed text. `problems` are findings about its structure."""

    def __init__(self, source: Source, statement: Statement) -> None:
        self.source = source
        self.problems: list[Finding] = []
        self.sections = self._sections(statement, PIPELINE_SECTIONS, "the pipeline", statement.line)
        for name in ("agent", "stages"):
            if name not in self.sections:
                self._report(rules.REQUIRED, f"the pipeline has no {name}", statement.line)
        self.roots = self._stages(self.sections.get("stages"), None)

    def stages(self) -> Iterator[Stage]:
        """Yield all stages in the order of the text."""
        for root in self.roots:
            yield from root.below()

    def parts(self) -> Iterator[tuple[Stage | None, Sections]]:
        """Yield the pipeline and its stages, each with its sections.

        A matrix' own sections are among its stage's.
        """
        yield None, self.sections
        for stage in self.stages():
            yield stage, stage.sections

    def _report(self, rule: Rule, message: str, line: int) -> None:
        self.problems.append(rule.finding(message, line))

    def _sections(
        self, owner: Statement, allowed: frozenset[str], where: str, line: int
    ) -> Sections:
        sections: Sections = {}
        if owner.block is None:
            self._report(rules.SECTION, f"{where} has no block", line)
        for statement in owner.inner:
            name = statement.name
            if name not in allowed or statement.assigns:
                shown = name or statement.text[:40]
                self._report(rules.SECTION, f"{where} has no section {shown!r}", statement.line)
            elif name in sections:
                self._report(rules.REPEATED, f"{where} has {name} twice", statement.line)
            else:
                sections[name] = statement
        return sections

    def _stages(self, owner: Statement | None, parent: Stage | None) -> list[Stage]:
        stages: list[Stage] = []
        for statement in owner.inner if owner else ():
            if statement.name != "stage" or statement.block is None:
                self._report(
                    rules.SECTION,
                    f"only stages stand here, not {statement.text[:40]!r}",
                    statement.line,
                )
            else:
                stages.append(self._stage(statement, parent))
        if owner and not stages:
            self._report(rules.REQUIRED, f"{owner.name} has no stage", owner.line)
        if owner:
            for name, count in repeated(stage.name for stage in stages):
                self._report(rules.REPEATED, f"{count} stages are called {name!r}", owner.line)
        return stages

    def _stage(self, statement: Statement, parent: Stage | None) -> Stage:
        name = statement.value
        if not isinstance(name, str) or not name.strip():
            self._report(
                rules.STAGE_NAME, "a stage is called by a text: stage('Build')", statement.line
            )
        where = f"the stage {name!r}"
        sections = self._sections(statement, STAGE_SECTIONS, where, statement.line)
        contents = [content for content in CONTENTS if content in sections]
        # https://www.jenkins.io/doc/book/pipeline/syntax/#sequential-stages
        if len(contents) != 1:
            self._report(
                rules.REQUIRED, f"{where} has one of {', '.join(CONTENTS)}", statement.line
            )
        stage = Stage(
            str(name), statement.line, sections, parent, contents[0] if contents else None
        )
        self._check_parallel(stage)
        if stage.content == "matrix":
            self._matrix(stage)
        elif stage.content in ("stages", "parallel"):
            stage.children = self._stages(sections[stage.content], stage)
        return stage

    def _check_parallel(self, stage: Stage) -> None:
        where = f"the stage {stage.name!r}"
        if stage.content in ("parallel", "matrix"):
            # Parallel stages cannot be nested at any depth (Pipeline syntax, Parallel).
            around = stage.parent
            while around:
                if around.content in ("parallel", "matrix"):
                    self._report(
                        rules.PARALLEL, f"{where} is parallel within {around.name!r}", stage.line
                    )
                around = around.parent
            # Without steps of its own such a stage has no use for them (Pipeline syntax, Parallel).
            for name in ("agent", "tools"):
                if name in stage.sections:
                    self._report(
                        rules.PARALLEL,
                        f"{where} has parallel stages and so no {name} of its own",
                        stage.line,
                    )
        elif "failFast" in stage.sections:
            self._report(rules.PARALLEL, f"{where} has failFast but no parallel stages", stage.line)

    def _matrix(self, stage: Stage) -> None:
        matrix = stage.sections["matrix"]
        where = f"the matrix of {stage.name!r}"
        sections = self._sections(matrix, MATRIX_SECTIONS, where, matrix.line)
        for name in ("axes", "stages"):
            if name not in sections:
                self._report(rules.MATRIX, f"{where} has no {name}", matrix.line)
        for name in set(sections) & {
            "agent",
            "environment",
            "options",
            "post",
            "tools",
            "input",
            "when",
        }:
            # A matrix' sections hold for all its cells.
            stage.sections.setdefault(name, sections[name])
        stage.sections |= {
            name: sections[name] for name in ("axes", "excludes") if name in sections
        }
        axes = axis_values(sections.get("axes"))
        if "axes" in sections and not axes:
            self._report(rules.MATRIX, f"{where} has no axis with a name and values", matrix.line)
        for name, values in axes:
            if not values or not all(isinstance(value, str) for value in values):
                self._report(rules.MATRIX, f"{where}: the axis {name} has no values", matrix.line)
        stage.children = self._stages(sections.get("stages"), stage)


def axis_values(axes: Statement | None) -> list[tuple[str, Sequence[Any]]]:
    """List (name, values) for each axis of a matrix."""
    named_axes: list[tuple[str, Sequence[Any]]] = []
    for axis in axes.inner if axes else ():
        parts = {part.name: part for part in axis.inner}
        if axis.name == "axis" and "name" in parts and "values" in parts:
            named_axes.append((str(parts["name"].value), parts["values"].args))
    return named_axes


def plain(value: Any) -> Any:
    """Write a value as docs/contracts/task.md shows it: a call is a mapping with its name."""
    if isinstance(value, dict) and "$call" in value:
        named = {key: plain(item) for key, item in value.items() if key not in ("$call", "args")}
        args = [plain(item) for item in value["args"]]
        return {value["$call"]: named or (args[0] if len(args) == 1 else args or True)}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def content_of(statement: Statement) -> Any:
    """Read a call's arguments as one value.

    True for none, the value itself for one, else a mapping or list.
    """
    if statement.block is not None and not statement.args and not statement.named:
        return {part.name: content_of(part) for part in statement.inner if part.name}
    if statement.named and not statement.args:
        return plain(statement.named)
    return plain(statement.args[0] if len(statement.args) == 1 else list(statement.args) or True)
