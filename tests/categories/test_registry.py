"""A category is one folder and one line: the toy is found everywhere with no other edit."""

import json
from collections.abc import Iterator

import pytest

from inframind.bench.load import families, load_tasks
from inframind.bench.prompt import answer
from inframind.categories import CATEGORIES, CategoryPackage, category, deep_tool, detect
from inframind.errors import ConfigError
from inframind.judge.rubric import rubric
from inframind.sandbox.pool import Pool
from inframind.types import Outcome, Verdict, VerifyRequest
from inframind.verifier.deep import deepened
from inframind.verifier.ladder import score
from inframind.verifier.verifier import Verifier
from tests.support import ROOT
from tests.support.toy import TOY
from tests.support.waiting import HANG_SECONDS
from tests.test_architecture import FOUNDATIONS

IN_A_WORKER = """
import sys, types
from inframind.categories import CATEGORIES, CategoryPackage
from inframind.verifier.ladder import score_json
module = sys.modules["tests.support.toy.validator"] = types.ModuleType("validator")
exec(source, module.__dict__)
CATEGORIES["toy"] = CategoryPackage("toy", parent="tests.support")
answer = score_json(payload)
"""


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> CategoryPackage:
    monkeypatch.setitem(CATEGORIES, "toy", TOY)
    return TOY


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool("builtins:eval", workers=1, deadline_seconds=HANG_SECONDS)
    yield pool
    pool.close()


@pytest.mark.parametrize("name", CATEGORIES)
def test_an_id_is_its_folders_name(name: str) -> None:
    package = CATEGORIES[name]
    assert package.folder.name == name.replace("-", "_")
    assert category(name).id == name
    assert {family.category for family in package.families.all} == {name}
    tool = deep_tool(name)
    assert (tool is not None) is (package.folder / "deep.py").is_file()


def test_every_folder_is_registered() -> None:
    folders = (ROOT / "inframind" / "categories").glob("*/validator.py")
    assert {path.parent for path in folders} == {package.folder for package in CATEGORIES.values()}


def test_foundations_are_those_that_the_architecture_allows() -> None:
    declared = {
        (package.foundation, name) for name, package in CATEGORIES.items() if package.foundation
    }
    assert declared == {(lower, upper) for lower, uppers in FOUNDATIONS.items() for upper in uppers}


@pytest.mark.parametrize("name", CATEGORIES)
def test_what_is_not_checked_here_is_said_in_one_way(name: str) -> None:
    for rule in category(name).rules:
        assert (rule.severity == "unsupported") is (rule.id == "not-verified"), rule


def test_an_unknown_category_names_those_that_exist(toy: CategoryPackage) -> None:
    with pytest.raises(ConfigError, match=r"no-such.*known: terraform,.*decline, toy"):
        category("no-such")
    assert deep_tool("no-such") is None


def test_the_toy_is_detected_and_judged(toy: CategoryPackage) -> None:
    for path in toy.examples("good"):
        text = path.read_text()
        assert detect(text, path.name) == "toy"
        assert score(VerifyRequest(text=text, filename=path.name)).verdict is Outcome.PASS
    for path in toy.examples("bad"):
        verdict = score(VerifyRequest(text=path.read_text(), category="toy", format="file"))
        assert path.stem in {finding.rule for finding in verdict.findings}


def test_the_toys_family_is_in_the_bench(toy: CategoryPackage) -> None:
    assert "toy/thing" in {family.id for family in families()}
    task = load_tasks("train", categories=["toy"], limit=1)[0]
    request = VerifyRequest(text=answer(task), category="toy", checks=task.checks)
    assert score(request).score == 1.0


def test_the_toys_tool_and_rubric_are_found(toy: CategoryPackage) -> None:
    text = json.dumps([{"kind": "thing", "name": "refused"}])
    request = VerifyRequest(text=text, category="toy", format="file")
    (verdict,) = deepened([request], [score(request)])
    assert (verdict.verdict, verdict.rungs["schema"]) == (Outcome.FAIL, "fail")
    assert "toytool 1" in verdict.verifier
    assert rubric("toy")["small"].startswith("No thing")


def test_the_pools_workers_judge_it(pool: Pool) -> None:
    """A worker may read no file of the tests, so the toy's source travels with the call."""
    request = VerifyRequest(text='[{"kind": "thing", "name": "a"}]', category="toy")
    names = {
        "source": (TOY.folder / "validator.py").read_text(),
        "payload": request.model_dump_json(),
    }
    reply = pool.call(f"[names := {names!r}, exec({IN_A_WORKER!r}, names), names['answer']][-1]")
    verdict = Verdict.model_validate_json(reply)
    assert (verdict.category, verdict.verdict) == ("toy", Outcome.PASS)


def test_the_toy_is_gone_where_it_is_not_registered() -> None:
    with Verifier(workers=1) as verifier, pytest.raises(ConfigError):
        verifier.verify(VerifyRequest(text="[]", category="toy"))
