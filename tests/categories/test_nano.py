"""The bundled model: what it is, and that no held-out value was in its text."""

import itertools
import json
import re

import pytest

from inframind.bench.load import families, load_tasks
from inframind.models.nano import MAX_DIFFICULTY, WEIGHTS
from inframind.types import Split
from tools.nano.corpus import corpus, training_families

TURNS = 40_000
"""More than one pass over everything the families can word; the stream itself is endless."""
TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*[A-Za-z0-9]|[A-Za-z0-9]")
PATH = re.compile(r"[A-Za-z0-9_./-]+")


@pytest.fixture(scope="module")
def pretraining_text() -> list[str]:
    turns = itertools.islice(corpus(seed=1), TURNS)
    return [
        text
        for asked, answer in turns
        for text in (*(message["content"] for message in asked), answer)
    ]


@pytest.mark.parametrize("split", ["test-values", "test-families", "validation"])
def test_no_open_value_of_a_held_out_split_is_in_its_text(
    pretraining_text: list[str], split: Split
) -> None:
    held_out = {value for task in load_tasks(split) for value in task.values}
    words = {
        word
        for text in pretraining_text
        for pattern in (TOKEN, PATH)
        for word in pattern.findall(text)
    }
    assert len(held_out) > 300
    assert not held_out & words


def test_no_instruction_of_a_held_out_split_is_in_its_text(pretraining_text: list[str]) -> None:
    held_out = {
        task.instruction for split in ("test-values", "test-families") for task in load_tasks(split)
    }
    assert not held_out & set(pretraining_text)


def test_it_is_pretrained_on_training_families_alone() -> None:
    trainable = {family.id for family in training_families()}
    assert trainable == {
        family.id
        for family in families()
        if family.difficulty <= MAX_DIFFICULTY and not family.held_out
    }
    assert not trainable & {task.family for task in load_tasks("test-families")}


def test_it_is_small_and_holds_no_pickle() -> None:
    files = list(WEIGHTS.iterdir())
    assert sum(file.stat().st_size for file in files) < 20_000_000
    assert {file.suffix for file in files} <= {".json", ".safetensors", ".jinja", ".md"}
    assert json.loads((WEIGHTS / "config.json").read_text())["architectures"] == [
        "Qwen2ForCausalLM"
    ]
