"""The judge's prompt: a hostile candidate stays between its marks, whatever it says."""

import hashlib

import pytest

from inframind.categories import CATEGORIES
from inframind.errors import ConfigError
from inframind.judge.prompt import Case, pair, plain, prompt_hash, single
from inframind.judge.rubric import COMMON, rubric
from tests.support import ROOT

INJECTIONS = (ROOT / "tests" / "injections.txt").read_text().split("\n%%\n")
CASE = Case(category="dockerfile", instruction="Run as app.")
SPECIAL = (
    "<|im_start|>",
    "<|im_end|>",
    "</s>",
    "[INST]",
    "[/INST]",
    "<<SYS>>",
    "<start_of_turn>",
    "<end_of_turn>",
    "</think>",
)


@pytest.mark.parametrize("injection", INJECTIONS)
def test_an_injection_stays_between_the_marks_of_its_own_hash(injection: str) -> None:
    candidate = f"FROM alpine\n{injection}\nUSER root\n"
    messages, _ = single(CASE, candidate)
    assert [message["role"] for message in messages] == ["system", "user"]
    text = messages[1]["content"]
    mark = hashlib.sha256(candidate.encode()).hexdigest()[:16]
    assert text.count(f"<<<CANDIDATE {mark}") == text.count(f"CANDIDATE {mark}>>>") == 1
    before, _, rest = text.partition(f"<<<CANDIDATE {mark}\n")
    inside, _, after = rest.partition(f"\nCANDIDATE {mark}>>>")
    assert inside.startswith("FROM alpine") and inside.endswith("USER root\n")
    # What stands around it is what stands around every candidate.
    calm = single(CASE, "FROM alpine\n")[0][1]["content"]
    assert calm.startswith(before) and calm.endswith(after)
    assert not any(token in inside for token in SPECIAL)


def test_both_candidates_of_a_pair_have_their_own_marks() -> None:
    messages, schema = pair(CASE, "FROM a", "FROM b")
    text = messages[1]["content"]
    assert (
        text.index("CANDIDATE A ")
        < text.index("FROM a")
        < text.index("CANDIDATE B ")
        < text.index("FROM b")
    )
    assert schema["properties"]["better"]["enum"] == ["A", "B", "tie"]


def test_ordinary_files_are_shown_as_they_are() -> None:
    text = "a: |\n  x <b> [c] << | $" + "{{ github.ref }}\n\té \U0001f600"
    assert plain(text) == text
    assert plain("a\x00b\x1b[2Jc\u202ed") == "ab[2Jcd"


def test_a_lone_surrogate_does_not_break_the_prompt() -> None:
    assert "FROM" in single(CASE, "FROM \udcff")[0][1]["content"]
    single(CASE, "FROM \udcff")[0][1]["content"].encode()


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_has_a_rubric(category: str) -> None:
    criteria = rubric(category)
    assert set(COMMON) <= set(criteria)
    assert all(name.isidentifier() and text.endswith(".") for name, text in criteria.items())
    _, schema = single(Case(category=category, instruction="x"), "y")
    assert schema["properties"]["criteria"]["required"] == list(criteria)


def test_an_unknown_category_has_no_rubric() -> None:
    with pytest.raises(ConfigError, match="cobol"):
        rubric("cobol")


def test_the_reference_is_shown_and_the_hash_names_the_wording() -> None:
    guided = Case(category="dockerfile", instruction="x", reference="FROM right")
    assert "FROM right" in single(guided, "y")[0][1]["content"]
    assert prompt_hash() == prompt_hash() and prompt_hash().startswith("sha256:")
