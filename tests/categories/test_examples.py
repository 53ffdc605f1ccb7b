"""Every rule is proven by a file: `good/` files pass without a complaint, and each `bad/<rule>.<ext>` is found by that rule."""

from pathlib import Path

import pytest

from inframind.categories import CATEGORIES, category
from inframind.categories.base import Rule
from inframind.types import Outcome, Verdict, VerifyRequest
from inframind.verifier.ladder import score
from inframind.verifier.report import rule_table
from tests.support import ROOT

DOCS = ROOT / "docs" / "rules"
NAMES = tuple(CATEGORIES)


def examples(kind: str) -> list[tuple[str, Path]]:
    return [(name, path) for name in NAMES for path in CATEGORIES[name].examples(kind)]


def judge(name: str, path: Path) -> Verdict:
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    return score(VerifyRequest(text=text, category=name, format="file"))


def label(value: object) -> str:
    return value.name if isinstance(value, Path) else str(value)


@pytest.mark.parametrize(("name", "path"), examples("good"), ids=label)
def test_a_good_file_passes(name: str, path: Path) -> None:
    verdict = judge(name, path)
    assert verdict.verdict is Outcome.PASS, verdict.findings
    detected = score(VerifyRequest(text=path.read_text(), filename=path.name, format="file"))
    assert detected.category == name


@pytest.mark.parametrize(("name", "path"), examples("bad"), ids=label)
def test_a_bad_file_is_found_by_its_rule(name: str, path: Path) -> None:
    rules: dict[str, Rule] = {rule.id: rule for rule in category(name).rules}
    rule = rules[path.name.split(".")[0]]
    verdict = judge(name, path)
    found = [finding for finding in verdict.findings if finding.rule == rule.id]
    assert found, verdict.findings
    assert all(finding.rung == rule.rung and finding.message for finding in found)
    informs = rule.rung == "policy" or rule.severity in ("warning", "info")
    assert verdict.verdict is (Outcome.PASS if informs else Outcome.FAIL)


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_has_its_example(name: str) -> None:
    rules = [rule.id for rule in category(name).rules]
    assert len(rules) == len(set(rules))
    assert set(rules) == {path.name.split(".")[0] for path in CATEGORIES[name].examples("bad")}
    assert len(CATEGORIES[name].examples("good")) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_the_docs_have_the_rules(name: str) -> None:
    assert (DOCS / f"{name}.md").read_text() == rule_table(name), "run `make rules`"
