"""The view that a provider's own code has of one resource: the values it judges, and the arguments
that stand beside one another.

A provider judges a resource while much of it is still unknown. Code on the plugin framework judges
each known value by itself. Code on plugin SDK v2 does not look into an argument, or into any of the
blocks of one name, while anything in them is unknown (`schemaMap.validate` in terraform-plugin-sdk,
`helper/schema/schema.go`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from inframind.categories.terraform.constraints import Constraints
from inframind.categories.terraform.provider import COMPUTED, BlockSchema
from inframind.categories.terraform.values import Value, is_bare, is_known
from inframind.types import Finding

NO_CONSTRAINTS = Constraints({}, [])


def on_framework(schema: BlockSchema) -> bool:
    """Tells a resource on the plugin framework: SDK v2 gives each an `id` that can be set."""
    return schema.attributes.get("id", [COMPUTED])[0] == COMPUTED


def _top(path: str) -> str:
    return path.partition(".")[0]


@dataclass
class ProviderCode:
    """Gathers what a resource gives.

    Paths are dotted, `ingress.cidr_blocks`; blocks of one name share them.
    """

    constraints: Constraints = NO_CONSTRAINTS
    framework: bool = True
    present: dict[str, bool] = field(default_factory=dict)
    """path -> whether anything of its value is known; what is null is not there."""
    partial: set[str] = field(default_factory=set)
    """Top-level arguments and blocks in which something is unknown."""
    unrepeated: set[str] = field(default_factory=set)
    """Paths of dynamic blocks that nobody can repeat yet."""
    violations: list[tuple[str, Finding]] = field(default_factory=list)

    def block(self, path: str, *, counted: bool = True) -> None:
        """Records a block; not `counted` if nobody knows how often it is repeated."""
        self.present[path] = counted or self.present.get(path, False)
        if not counted:
            self.partial.add(_top(path))
            self.unrepeated.add(path)

    def argument(self, path: str, value: Value) -> None:
        """Records an argument and its value."""
        # Of an argument that is null "Terraform behaves as though you had completely omitted it":
        # language/expressions/types.
        if value is not None:
            self.present[path] = not is_bare(value)
        if not is_known(value):
            self.partial.add(_top(path))

    def judged(self, path: str) -> bool:
        """Tells whether the code looks at the values of a path."""
        if self.framework:
            return not any(path.startswith(f"{outer}.") for outer in self.unrepeated)
        return _top(path) not in self.partial

    def refused(self) -> list[Finding]:
        """Lists the findings on values that the code looks at and does not accept."""
        return [finding for path, finding in self.violations if self.judged(path)]

    def clashes(self) -> Iterator[str]:
        """Says which relations between arguments do not hold."""
        for relation, subject, *rest in self.constraints.together:
            parent = subject.rpartition(".")[0]
            if parent and (parent not in self.present or not self.judged(subject)):
                continue
            message = (
                self._conflict(subject, rest[0])
                if relation == "conflict"
                else self._group(relation, subject, rest[0])
            )
            if message:
                yield message

    def _conflict(self, subject: str, other: str) -> str | None:
        both = self.present.get(subject) and self.present.get(other)
        # Each of the two asks for the other, if it is judged itself.
        return (
            f"{subject} and {other} exclude one another"
            if both and (self.judged(subject) or self.judged(other))
            else None
        )

    def _group(self, relation: str, subject: str, group: list[str]) -> str | None:
        set_paths = [path for path in group if path in self.present]
        if relation == "any":
            return None if set_paths else f"one of {', '.join(group)} is required"
        if relation == "at-most-one":
            certain = [path for path in set_paths if self.present[path] and self.judged(path)]
            return f"only one of {', '.join(certain)} may be set" if len(certain) > 1 else None
        missing = [path for path in group if path not in self.present and path != subject]
        return (
            f"{subject} needs {', '.join(missing)}" if subject in self.present and missing else None
        )
