"""cfn-lint (https://github.com/aws-cloudformation/cfn-lint), in its own environment or in ours."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from inframind.categories.cloudformation.sections import unknown_transforms
from inframind.categories.cloudformation.template import TemplateError, load
from inframind.categories.shared.checkov import Checkov
from inframind.categories.shared.linters import (
    Advised,
    Complaint,
    Environment,
    Linter,
    Opinion,
    Weight,
    environment,
    json_rows,
)
from inframind.sandbox.isolation import Finished, Program

SECONDS, SECONDS_EACH = 120.0, 3.0
# A template's metadata may name rules to leave out, and files to load rules from: none of it is
# obeyed.
SCRIPT = """
from cfnlint import config, runner
config.TemplateArgs.template_args = property(lambda self: {}, lambda self, template: None)
runner.main()
"""
OPTIONS = (
    "--format",
    "json",
    "--regions",
    "us-east-1",
    "--mandatory-checks",
    "E",
    "--non-zero-exit-code",
    "none",
)


class CfnLint(Linter):
    """The deep check of templates, at error level.

    Comments and metadata that switch rules off are not obeyed.
    """

    name = "cfn-lint"
    rule = "cfn-lint"
    suffix = ".template"
    remedy = (
        "pip install cfn-lint, here or in an environment of its own; then set "
        "INFRAMIND_CFN_LINT=ENVIRONMENT"
    )

    @cached_property
    def _environment(self) -> Environment | None:
        return environment("INFRAMIND_CFN_LINT", "cfn-lint")

    def installed(self) -> str | None:
        return f"cfn-lint {self._environment.version('cfn-lint')}" if self._environment else None

    def judge(self, texts: Sequence[str]) -> list[Opinion]:
        """Asks cfn-lint for an opinion of each template, in order.

        It skips what a macro of the account may rewrite, so it has no opinion of such a template.
        """
        plain = [not _has_macro(text) for text in texts]
        judged = iter(
            super().judge([text for text, is_plain in zip(texts, plain, strict=True) if is_plain])
        )
        unknown = self._opinion([Complaint(None, "a macro rewrites the template", "undecided")])
        return [next(judged) if is_plain else unknown for is_plain in plain]

    def program(self, names: Sequence[str]) -> Program:
        assert self._environment is not None
        return self._environment.program(
            "-c", SCRIPT, *OPTIONS, "--", *names, seconds=SECONDS + SECONDS_EACH * len(names)
        )

    def complaints(self, finished: Finished) -> dict[str, list[Complaint]] | None:
        rows = json_rows(finished.output)
        # `--non-zero-exit-code none`: any other status means that it did not come to its end.
        if rows is None or finished.status != 0:
            return None
        by_file: dict[str, list[Complaint]] = {}
        for row in rows:
            # Its messages quote the template; what the rule is about does not.
            rule = row.get("Rule", {})
            message = f"{rule.get('Id')}: {rule.get('ShortDescription')}"
            line = row.get("Location", {}).get("Start", {}).get("LineNumber")
            weight: Weight = "invalid" if row.get("Level") == "Error" else "advice"
            by_file.setdefault(Path(str(row.get("Filename"))).name, []).append(
                Complaint(line, message, weight)
            )
        return by_file


def _has_macro(text: str) -> bool:
    try:
        return unknown_transforms(load(text))
    except TemplateError:
        return False


class Templates(Advised):
    """cfn-lint decides; checkov, where it is installed, gives its advice."""

    def __init__(self) -> None:
        super().__init__(CfnLint(), Checkov("cloudformation", ".template"))


TOOL = Templates()
