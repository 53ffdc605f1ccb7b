"""The engine on the bundled model: answers do not depend on who shares the batch."""

from pathlib import Path
from typing import Any

import pytest

from inframind.bench.load import load_tasks
from inframind.bench.prompt import prompt
from inframind.errors import EngineError, ModelNotFoundError
from inframind.generation.engine import Engine, Request
from inframind.models.nano import MAX_DIFFICULTY
from tests.support.recorder import NANO


@pytest.fixture(scope="module")
def engine(adapters: dict[str, Path]) -> Engine:
    engine = Engine(NANO, device="cpu")
    for name, path in adapters.items():
        engine.add_adapter(name, path)
    return engine


@pytest.fixture(scope="module")
def prompts(engine: Engine) -> list[str]:
    template = engine.tokenizer.apply_chat_template
    return [
        template(prompt(task), add_generation_prompt=True, tokenize=False)
        for task in load_tasks("validation", max_difficulty=MAX_DIFFICULTY, limit=6)
    ]


def test_greedy_answers_are_the_same_alone_and_in_a_mixed_batch(
    engine: Engine, prompts: list[str]
) -> None:
    rows = [Request(text, model, 48) for text in prompts for model in (None, "im-one.a", "im-two")]
    together = engine.generate(rows)
    alone = [engine.generate([row])[0] for row in rows]
    assert [c.tokens for c in together] == [c.tokens for c in alone]
    assert len({tuple(c.tokens) for c in together[:3]}) == 3


def test_a_seeded_row_is_the_same_whoever_is_beside_it(engine: Engine, prompts: list[str]) -> None:
    row = Request(prompts[0], None, 32, temperature=2.0, top_p=0.98, seed=7)
    others = [Request(text, "im-two", 64, temperature=0.5) for text in prompts[1:]]
    alone = engine.generate([row])[0]
    assert engine.generate([*others, row])[-1].tokens == alone.tokens
    assert (
        engine.generate([Request(prompts[0], None, 32, temperature=2.0, top_p=0.98, seed=8)])[
            0
        ].tokens
        != alone.tokens
    )


def test_equal_requests_get_different_answers_that_repeat(
    engine: Engine, prompts: list[str]
) -> None:
    rows = [Request(prompts[0], None, 48, temperature=1.5, seed=1)] * 4
    first, second = engine.generate(rows), engine.generate(rows)
    assert len({c.text for c in first}) > 1
    assert [c.text for c in first] == [c.text for c in second]


def test_limits_and_stop_texts_belong_to_their_row(engine: Engine, prompts: list[str]) -> None:
    whole, short, stopped = engine.generate(
        [
            Request(prompts[0], None, 200),
            Request(prompts[0], None, 5),
            Request(prompts[0], None, 200, stop=("</think>",)),
        ]
    )
    assert (short.finish_reason, short.completion_tokens) == ("length", 5)
    assert whole.text.startswith(short.text)
    assert (stopped.finish_reason, stopped.text) == ("stop", whole.text.partition("</think>")[0])
    assert stopped.completion_tokens < whole.completion_tokens
    assert whole.finish_reason == "stop"
    assert "<|im_end|>" not in whole.text


def test_it_ends_between_two_tokens_when_told(engine: Engine, prompts: list[str]) -> None:
    asked: list[bool] = []

    def gone() -> bool:
        asked.append(True)
        return len(asked) == 3

    (completion,) = engine.generate([Request(prompts[0], None, 100)], gone)
    assert completion.completion_tokens == 3


def test_the_streamer_sees_the_tokens_of_the_answer(engine: Engine, prompts: list[str]) -> None:
    class Streamer:
        steps: list[Any] = []

        def put(self, value: Any) -> None:
            self.steps.append(value)

        def end(self) -> None:
            pass

    streamer = Streamer()
    completions = engine.generate(
        [Request(text, None, 8, temperature=t) for t, text in enumerate(prompts[:2])],
        None,
        streamer,
    )
    assert [[int(step[row]) for step in streamer.steps[1:]] for row in range(2)] == [
        c.tokens for c in completions
    ]


def test_names_are_never_used_twice_and_unknown_ones_are_refused(
    engine: Engine, adapters: dict[str, Path]
) -> None:
    with pytest.raises(EngineError, match="already"):
        engine.add_adapter("im-two", adapters["im-two"])
    with pytest.raises(ModelNotFoundError):
        engine.generate([Request("x", "im-none", 4)])
    with pytest.raises(ModelNotFoundError):
        engine.remove_adapter("im-none")


def test_removing_adapters_leaves_the_base_model_as_it_was(
    adapters: dict[str, Path], prompts: list[str]
) -> None:
    engine = Engine(NANO, device="cpu")
    before = engine.generate([Request(prompts[0], None, 32)])
    for name, path in adapters.items():
        engine.add_adapter(name, path)
    for name in adapters:
        engine.remove_adapter(name)
    assert engine.generate([Request(prompts[0], None, 32)]) == before


def test_an_adapter_with_one_wrong_byte_is_refused(
    adapters: dict[str, Path], tmp_path: Path
) -> None:
    for file in adapters["im-two"].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = bytearray((tmp_path / "adapter_model.safetensors").read_bytes())
    weights[-1] ^= 1
    (tmp_path / "adapter_model.safetensors").write_bytes(weights)
    with pytest.raises(EngineError, match="SHA-256"):
        Engine(NANO, device="cpu").add_adapter("im-bad", tmp_path)
