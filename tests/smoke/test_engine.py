"""The engine on the bundled model: answers do not depend on who shares the batch."""

import math
from pathlib import Path
from typing import Any

import pytest

from inframind.bench.load import load_tasks
from inframind.bench.prompt import prompt
from inframind.errors import ConfigError, EngineError, ModelNotFoundError, NonFiniteError
from inframind.generation.engine import Completion, Engine, Request
from inframind.models.adapter import publish, read_manifest
from inframind.models.merge import merge
from inframind.models.nano import MAX_DIFFICULTY
from tests.support.recorder import NANO
from tests.support.weights import poison


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


@pytest.mark.parametrize("value", [math.nan, 3e38], ids=["nan", "overflow"])
def test_a_row_without_numbers_fails_alone(
    prompts: list[str], adapters: dict[str, Path], make_adapter: Any, tmp_path: Path, value: float
) -> None:
    """One such row made the sampler raise for the whole batch."""
    engine = Engine(NANO, device="cpu")
    engine.add_adapter("im-one.a", adapters["im-one.a"])
    engine.add_adapter("im-broken", make_adapter(tmp_path, "im-broken", 5))
    # As if the files had been fine: those of NaN are not loaded.
    for name, weight in engine.model.named_parameters():
        if "im-broken" in name and "lora_B" in name:
            weight.data.fill_(value)
    models = (None, "im-broken", "im-one.a", "im-broken")
    rows = [
        Request(text, model, 24, temperature=temperature, seed=3, logprobs=2)
        for text, temperature in zip(prompts[:2], (0.0, 1.0), strict=True)
        for model in models
    ]
    answers = engine.generate_each(rows)
    for row, answer in zip(rows, answers, strict=True):
        if row.model == "im-broken":
            assert isinstance(answer, NonFiniteError) and "im-broken" in str(answer)
        else:
            assert isinstance(answer, Completion)
            assert answer.tokens == engine.generate([row])[0].tokens
    with pytest.raises(NonFiniteError, match="im-broken are no numbers"):
        engine.generate(rows)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", math.nan),
        ("temperature", math.inf),
        ("temperature", -1.0),
        ("top_p", math.nan),
        ("top_p", 0.0),
        ("max_tokens", 0),
        ("logprobs", -1),
    ],
)
def test_a_row_with_a_value_out_of_its_range_cannot_be_made(field: str, value: float) -> None:
    with pytest.raises(ConfigError, match=field):
        Request("x", **{field: value})  # type: ignore[arg-type]  # one of the fields


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


def test_an_adapter_of_nan_is_refused_whoever_put_it_there(
    make_adapter: Any, tmp_path: Path
) -> None:
    """Every byte is as its manifest says."""
    folder = make_adapter(tmp_path, "im-nan", 4)
    poison(folder)
    with pytest.raises(NonFiniteError, match="im-nan"):
        Engine(NANO, device="cpu").add_adapter("im-nan", folder)
    with pytest.raises(NonFiniteError, match="im-nan"):
        merge(folder, tmp_path / "merged")
    with pytest.raises(NonFiniteError, match="im-nan"):
        publish(folder, tmp_path / "again", read_manifest(folder))
    assert not (tmp_path / "merged").exists() and not (tmp_path / "again").exists()
