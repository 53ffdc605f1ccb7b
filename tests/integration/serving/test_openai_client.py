"""OpenAI's own client, unmodified, against the whole service."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from openai import BadRequestError, NotFoundError, OpenAI

from inframind.bench.load import load_tasks
from inframind.bench.prompt import answer
from inframind.generation.template import render
from tests.support.http import connect_openai
from tests.support.running import Running
from tests.support.waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture
def openai(running: Running) -> Iterator[OpenAI]:
    """OpenAI's own client, unmodified."""
    with connect_openai(str(running.http.base_url).rstrip("/")) as made:
        yield made


ASKED: Any = [
    {"role": "system", "content": "Answer with one fenced file."},
    {"role": "user", "content": "service web, 80 -> 90"},
]


def test_openais_client_lists_chats_and_completes(openai: OpenAI) -> None:
    assert "inframind-nano" in [model.id for model in openai.models.list()]
    chat = openai.chat.completions.create(
        model="inframind-nano", messages=ASKED, temperature=0, max_tokens=64, n=2
    )
    assert [choice.index for choice in chat.choices] == [0, 1]
    text = chat.choices[0].message.content
    assert text and text.startswith("<think>") and chat.choices[1].message.content == text
    assert (
        chat.usage
        and chat.usage.completion_tokens == chat.usage.total_tokens - chat.usage.prompt_tokens > 0
    )
    stop = text[12:18]
    stopped = openai.chat.completions.create(
        model="inframind-nano", messages=ASKED, temperature=0, max_completion_tokens=64, stop=stop
    )
    assert (stopped.choices[0].finish_reason, stopped.choices[0].message.content) == (
        "stop",
        text[: text.index(stop)],
    )
    prompt = render("inframind-nano", ASKED)
    completion = openai.completions.create(
        model="inframind-nano", prompt=prompt, temperature=0, max_tokens=64
    )
    assert completion.choices[0].text == text


def test_openais_client_streams_with_usage(openai: OpenAI) -> None:
    whole = openai.chat.completions.create(
        model="inframind-nano", messages=ASKED, temperature=1, seed=3, max_tokens=48
    )
    chunks = list(
        openai.chat.completions.create(
            model="inframind-nano",
            messages=ASKED,
            temperature=1,
            seed=3,
            max_tokens=48,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert chunks[0].choices[0].delta.role == "assistant"
    assert (
        "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        == whole.choices[0].message.content
    )
    assert (
        chunks[-1].usage == whole.usage
        and chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason
    )


def test_openais_client_gets_the_errors_it_knows(openai: OpenAI) -> None:
    with pytest.raises(NotFoundError):
        openai.chat.completions.create(model="im-none", messages=ASKED)
    with pytest.raises(BadRequestError) as refused:
        openai.chat.completions.create(model="inframind-nano", messages=ASKED, temperature=9)
    assert refused.value.param == "temperature"
    with pytest.raises(BadRequestError) as unknown:
        openai.chat.completions.create(
            model="inframind-nano", messages=ASKED, extra_body={"prompt_embeds": "x"}
        )
    assert unknown.value.param == "prompt_embeds"
    with pytest.raises(BadRequestError) as absent:
        openai.chat.completions.create(
            model="inframind-nano", messages=ASKED, response_format={"type": "json_object"}
        )
    assert absent.value.param == "response_format"


def test_openais_client_trains_a_model_and_asks_it(openai: OpenAI) -> None:
    tasks = [task for task in load_tasks("train", max_difficulty=1, limit=60) if not task.input][
        :20
    ]
    rows = [
        json.dumps(
            {"prompt": task.instruction, "completion": answer(task), "category": task.category}
        )
        for task in tasks
    ]
    file = openai.files.create(file=("train.jsonl", "\n".join(rows).encode()), purpose="fine-tune")
    settings: Any = {"n_epochs": 2, "batch_size": 6, "learning_rate_multiplier": 4}
    job = openai.fine_tuning.jobs.create(
        model="inframind-nano",
        training_file=file.id,
        suffix="tiny",
        seed=3,
        method={"type": "supervised", "supervised": {"hyperparameters": settings}},
    )
    assert job.status in ("queued", "running")
    until(lambda: openai.fine_tuning.jobs.retrieve(job.id).status not in ("queued", "running"))
    done = openai.fine_tuning.jobs.retrieve(job.id)
    assert done.status == "succeeded" and done.fine_tuned_model, done.error
    assert done.fine_tuned_model.startswith("ft:inframind-nano:inframind:tiny:")
    model = openai.models.retrieve(done.fine_tuned_model)
    assert (
        model.id in [one.id for one in openai.models.list()] and model.id in done.fine_tuned_model
    )
    said = [event.message for event in openai.fine_tuning.jobs.list_events(job.id)][::-1]
    assert said[0] == "the job was accepted" and any("sft" in message for message in said)
    (checkpoint,) = openai.fine_tuning.jobs.checkpoints.list(job.id)
    assert (
        checkpoint.fine_tuned_model_checkpoint == done.fine_tuned_model
        and checkpoint.step_number == 6
    )
    assert checkpoint.metrics.train_loss is not None and checkpoint.metrics.train_loss > 0
    chats = [
        openai.chat.completions.create(
            model=name, messages=ASKED, temperature=0, max_tokens=8, logprobs=True
        )
        for name in ("inframind-nano", done.fine_tuned_model)
    ]
    assert chats[1].model == model.id
    sure = [[one.logprob for one in chat.choices[0].logprobs.content] for chat in chats]  # type: ignore[union-attr]  # asked for
    assert max(abs(base - tuned) for base, tuned in zip(*sure, strict=False)) > 1e-3
    assert openai.models.delete(done.fine_tuned_model).deleted
    with pytest.raises(NotFoundError):
        openai.models.retrieve(done.fine_tuned_model)
