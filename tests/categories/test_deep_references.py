"""The bench's answers pass the tools that the field trusts, not only the checker that was written
beside them.
"""

from collections import defaultdict

import pytest

from inframind.bench.load import families
from inframind.categories import CATEGORIES, deep_tool
from tests.support import deep_tools


@pytest.mark.parametrize("category", [name for name in CATEGORIES if deep_tool(name)])
def test_the_deep_tool_accepts_both_answers_of_every_family(category: str) -> None:
    if category == "terraform":
        tool = deep_tools.terraform()
    else:
        deep_tools.need(category)
        tool = deep_tool(category)
    drafts = [
        (family.id, family.draft("deep", "train")[0])
        for family in families()
        if family.category == category
    ]
    answers = [
        (name, text)
        for name, draft in drafts
        for text in (draft.answer, draft.variant)
        if text is not None
    ]
    assert len(answers) > len(drafts) > 10
    names_by_outcome: dict[str, list[str]] = defaultdict(list)
    for (name, _), opinion in zip(answers, tool.judge([text for _, text in answers]), strict=True):
        names_by_outcome[opinion.outcome].append(name)
    assert not names_by_outcome["rejects"] and not names_by_outcome["unavailable"]
    # ansible-core alone has none of the collections that some playbooks use.
    assert len(names_by_outcome["abstains"]) <= (len(answers) // 2 if category == "ansible" else 0)
