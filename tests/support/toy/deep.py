"""A tool that needs no program: it refuses things called `refused`."""

from collections.abc import Sequence

from inframind.categories.shared.linters import DeepTool, Opinion


class ToyTool:
    """As DeepTool."""

    name = "toytool"
    is_authority = False
    remedy = "nothing is missing"

    def version(self) -> str | None:
        return "toytool 1"

    def judge(self, texts: Sequence[str]) -> list[Opinion]:
        return [Opinion("rejects" if "refused" in text else "accepts") for text in texts]


TOOL: DeepTool = ToyTool()
