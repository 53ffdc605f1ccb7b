"""zizmor (https://docs.zizmor.sh): security audits of workflows."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from inframind.categories._deep import SECONDS, SECONDS_EACH, Complaint, Linter, json_rows, printed_version
from inframind.sandbox.isolation import Finished, Program, program

OPTIONS = ("--offline", "--no-config", "--no-ignores", "--no-exit-codes", "--no-progress", "--quiet", "--format", "json")


class Zizmor(Linter):
    """Advice on workflows. Comments that switch audits off are not obeyed."""

    name = "zizmor"
    rule = "zizmor"
    suffix = ".yml"
    remedy = "pip install zizmor"

    @cached_property
    def _tool(self) -> Path | None:
        found = program("zizmor")
        return found.resolve() if found else None

    @cached_property
    def _version(self) -> str | None:
        return printed_version(Program([str(self._tool), "--version"], (self._tool,))) if self._tool else None

    def version(self) -> str | None:
        return self._version

    def program(self, names: Sequence[str]) -> Program:
        tool = self._tool or Path("zizmor")
        return Program([str(tool), *OPTIONS, *names], (tool,), seconds=SECONDS + SECONDS_EACH * len(names))

    def complaints(self, finished: Finished) -> dict[str, list[Complaint]] | None:
        # It fails where it can read none of the files; the other checks say why.
        rows = json_rows(finished.output) if finished.status == 0 else iter(())
        if rows is None:
            return None
        found: dict[str, list[Complaint]] = {}
        for row in rows:
            for name, line in _places(row):
                # Its locations quote the workflow; the audit's name and what it is about do not.
                found.setdefault(name, []).append(Complaint(line, f"{row.get('ident')}: {row.get('desc')}", "advice"))
        return found


def _places(row: dict[str, Any]) -> Iterator[tuple[str, int]]:
    for location in row.get("locations", ()):
        symbolic = location["symbolic"]
        if symbolic["kind"] == "Primary":
            yield symbolic["key"]["Local"]["verbatim_path"], location["concrete"]["location"]["start_point"]["row"] + 1
