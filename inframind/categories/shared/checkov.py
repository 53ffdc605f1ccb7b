"""checkov (https://www.checkov.io): policies of several categories, in its own Python environment
or in ours.
"""

import json
import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from inframind.categories.shared.linters import Complaint, Environment, Linter, Opinion, environment
from inframind.sandbox.isolation import Finished, Program

SECONDS, SECONDS_EACH = 120.0, 1.0
SCRIPT = "import sys; from checkov.main import Checkov; sys.exit(Checkov().run())"
OPTIONS = ("--output", "json", "--compact", "--quiet", "--skip-download", "--soft-fail")
SKIP = re.compile(r"(checkov|bridgecrew|cortex):skip=")


class Checkov(Linter):
    """Advice on files of one of checkov's frameworks. Comments that skip checks are not obeyed."""

    name = "checkov"
    rule = "checkov"
    remedy = (
        "pip install checkov in an environment of its own; then set INFRAMIND_CHECKOV=ENVIRONMENT"
    )

    def __init__(self, framework: str, suffix: str) -> None:
        self._framework, self.suffix = framework, suffix

    @cached_property
    def _environment(self) -> Environment | None:
        return environment("INFRAMIND_CHECKOV", "checkov")

    def installed(self) -> str | None:
        return f"checkov {self._environment.version('checkov')}" if self._environment else None

    def judge(self, texts: Sequence[str]) -> list[Opinion]:
        """Asks checkov for its advice on each text, with comments that skip checks undone."""
        return super().judge([SKIP.sub(r"\1-skip=", text) for text in texts])

    def program(self, names: Sequence[str]) -> Program:
        assert self._environment is not None
        arguments = ("-c", SCRIPT, *OPTIONS, "--framework", self._framework, "--file", *names)
        return self._environment.program(*arguments, seconds=SECONDS + SECONDS_EACH * len(names))

    def complaints(self, finished: Finished) -> dict[str, list[Complaint]] | None:
        if finished.status != 0:
            return None
        try:
            report: Any = json.loads(finished.output)
        except ValueError:
            return None
        by_file: dict[str, list[Complaint]] = {}
        # Where it can read none of the files there are no results; the other checks say why.
        for row in (
            report.get("results", {}).get("failed_checks", ()) if isinstance(report, dict) else ()
        ):
            # The check's own name says what it is about; nothing of the file.
            complaint = Complaint(
                row["file_line_range"][0], f"{row['check_id']}: {row['check_name']}", "advice"
            )
            by_file.setdefault(row["file_path"].lstrip("/"), []).append(complaint)
        return by_file
