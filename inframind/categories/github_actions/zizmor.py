"""zizmor (https://docs.zizmor.sh): security audits of workflows."""

from collections.abc import Iterator
from typing import Any

from inframind.categories.shared.linters import Complaint, Executable, json_rows
from inframind.sandbox.isolation import Finished


class Zizmor(Executable):
    """Advise on workflows with zizmor. Comments that switch audits off are not obeyed."""

    name = "zizmor"
    rule = "zizmor"
    suffix = ".yml"
    remedy = "pip install zizmor"
    options = (
        "--offline",
        "--no-config",
        "--no-ignores",
        "--no-exit-codes",
        "--no-progress",
        "--quiet",
        "--format",
        "json",
    )

    def complaints(self, finished: Finished) -> dict[str, list[Complaint]] | None:
        # It fails where it can read none of the files; the other checks say why.
        rows = json_rows(finished.output) if finished.status == 0 else iter(())
        if rows is None:
            return None
        by_file: dict[str, list[Complaint]] = {}
        for row in rows:
            for name, line in _places(row):
                # Its locations quote the workflow; the audit's name and what it is about do not.
                by_file.setdefault(name, []).append(
                    Complaint(line, f"{row.get('ident')}: {row.get('desc')}", "advice")
                )
        return by_file


def _places(row: dict[str, Any]) -> Iterator[tuple[str, int]]:
    for location in row.get("locations", ()):
        symbolic = location["symbolic"]
        if symbolic["kind"] == "Primary":
            yield (
                symbolic["key"]["Local"]["verbatim_path"],
                location["concrete"]["location"]["start_point"]["row"] + 1,
            )
