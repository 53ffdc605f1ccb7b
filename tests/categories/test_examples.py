"""Every rule is proven by a file: `good/` passes, `bad/<rule>.<ext>` is found by that rule."""

from pathlib import Path

import pytest

from inframind.categories import CATEGORIES, category
from inframind.categories.base import Rule
from inframind.types import Finding, Outcome, Verdict, VerifyRequest
from inframind.verifier.ladder import score
from inframind.verifier.rules import category_page, index_page
from tests.support import ROOT

DOCS = ROOT / "docs" / "rules"
NAMES = tuple(CATEGORIES)
ADVICE = ("warning", "info")


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
    rules = [rule for rule in category(name).rules if rule.id == path.name.split(".")[0]]
    verdict = judge(name, path)
    findings = [finding for finding in verdict.findings if finding.rule == rules[0].id]
    assert findings, verdict.findings
    assert {finding.rung for finding in findings} <= {rule.rung for rule in rules}
    assert all(finding.message for finding in findings)
    informs = all(rule.rung == "policy" or rule.severity in ADVICE for rule in rules)
    assert verdict.verdict is (Outcome.PASS if informs else Outcome.FAIL)


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_has_its_example(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules that share an id need an example each: `bad/<id>.<what>.<ext>`."""
    proven: dict[str, set[Rule]] = {}
    plain = Rule.finding

    def recorded(rule: Rule, message: str, line: int | None = None) -> Finding:
        proven.setdefault(rule.id, set()).add(rule)
        return plain(rule, message, line)

    monkeypatch.setattr(Rule, "finding", recorded)
    shown: set[Rule] = set()
    for path in CATEGORIES[name].examples("bad"):
        proven.clear()
        judge(name, path)
        shown |= proven.get(path.name.split(".")[0], set())
    rules = category(name).rules
    assert len(rules) == len(set(rules))
    unproven = [f"{rule.id}: {rule.summary}" for rule in rules if rule not in shown]
    assert not unproven, "no file in bad/ breaks these"
    assert len(CATEGORIES[name].examples("good")) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_the_docs_have_the_rules(name: str) -> None:
    assert (DOCS / f"{name}.md").read_text() == category_page(name), "run `make rules`"


def test_the_index_of_the_docs_has_all_rules() -> None:
    assert (DOCS / "README.md").read_text() == index_page(), "run `make rules`"
