"""OpenAI's own client, unmodified: files and fine-tuning jobs of a real service."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import BadRequestError, ConflictError, NotFoundError, OpenAI
from openai.types.fine_tuning import FineTuningJob
from sqlalchemy import Engine

from app.datasets import service as datasets
from app.db.session import make_engine
from app.jobs import journal, lease
from app.main import create_app
from app.settings import Settings
from inframind.models.adapter import read_manifest
from tests.support.http import connect_openai
from tests.support.inference_servers import BASE, listening
from tests.support.reports import report
from tests.support.services import with_tables

ROWS = [
    {
        "messages": [
            {"role": "system", "content": "Answer with one fenced file."},
            {"role": "user", "content": f"From debian:12, work in /srv/a{i}."},
            {
                "role": "assistant",
                "content": f"```dockerfile\nFROM debian:12\nWORKDIR /srv/a{i}\n```",
            },
        ]
    }
    for i in range(10, 50)
]
COMPLETIONS = [
    {"prompt": f"From alpine:3.20, as u{i}x.", "completion": f"FROM alpine:3.20\nUSER u{i}x\n"}
    for i in range(10)
]
ITEMS = [
    {
        "messages": [{"role": "user", "content": f"Run as user app{i}."}],
        "category": "dockerfile",
        "checks": [{"op": "equals", "kind": "image", "path": "user", "value": f"app{i}"}],
    }
    for i in range(20)
]

SETTINGS: Any = {"n_epochs": 2, "batch_size": 8, "learning_rate_multiplier": 2}


def lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


@pytest.fixture(scope="module")
def shared_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("service")
    return with_tables(folder)


@pytest.fixture(scope="module")
def database(shared_settings: Settings) -> Iterator[Engine]:
    made = make_engine(shared_settings.url)
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def openai(shared_settings: Settings) -> Iterator[OpenAI]:
    with listening(create_app(shared_settings)) as url, connect_openai(url) as client:
        yield client


def upload(openai: OpenAI, rows: list[dict[str, Any]], name: str = "train.jsonl") -> str:
    return openai.files.create(file=(name, lines(rows)), purpose="fine-tune").id


@pytest.fixture(scope="module")
def completions(openai: OpenAI) -> str:
    return upload(openai, COMPLETIONS)


def test_a_file_is_uploaded_listed_read_and_deleted(openai: OpenAI) -> None:
    made = openai.files.create(file=("train.jsonl", lines(ROWS)), purpose="fine-tune")
    assert (made.object, made.filename, made.purpose, made.status) == (
        "file",
        "train.jsonl",
        "fine-tune",
        "processed",
    )
    assert made.bytes == len(lines(ROWS)) and made.id.startswith("file-")
    assert openai.files.retrieve(made.id) == made
    assert openai.files.content(made.id).content == lines(ROWS)
    more = [upload(openai, COMPLETIONS[:2], f"{index}.jsonl") for index in range(3)]
    # The client asks page after page.
    assert [file.id for file in openai.files.list(limit=2)][:4] == [*more[::-1], made.id]
    assert [file.id for file in openai.files.list(limit=1, order="asc")][-3:] == more
    for identity in more:
        deleted = openai.files.delete(identity)
        assert (deleted.id, deleted.deleted, deleted.object) == (identity, True, "file")
    with pytest.raises(NotFoundError) as gone:
        openai.files.retrieve(more[0])
    assert gone.value.param == "file_id"


def test_a_file_is_trained_on_as_it_was_uploaded_unless_it_is_said(
    openai: OpenAI, database: Engine
) -> None:
    made = {
        rendering: openai.files.create(
            file=("c.jsonl", lines(COMPLETIONS)),
            purpose="fine-tune",
            extra_body={"rendering": rendering} if rendering else {},
        )
        for rendering in (None, "as_given", "fenced")
    }
    names = {
        rendering: str((file.model_extra or {})["dataset"]) for rendering, file in made.items()
    }
    assert names[None] == names["as_given"] != names["fenced"]
    for rendering in ("as_given", "fenced"):
        dataset = datasets.find(database, names[rendering])
        assert (dataset.rendering, dataset.name) == (rendering, "c.jsonl")
    with pytest.raises(BadRequestError) as refused:
        openai.files.create(
            file=("c.jsonl", lines(COMPLETIONS)),
            purpose="fine-tune",
            extra_body={"rendering": "other"},
        )
    assert refused.value.param == "rendering"
    # What is validated has to be asked in the form of what was trained on.
    files = {"training_file": made["as_given"].id, "validation_file": made["fenced"].id}
    with pytest.raises(BadRequestError) as mixed:
        openai.fine_tuning.jobs.create(model=BASE, **files)
    assert mixed.value.param == "validation_file" and "in one form" in mixed.value.message


@pytest.mark.parametrize(
    ("row", "param"),
    [
        (
            {
                "messages": [
                    {"role": "user", "content": "a"},
                    {"role": "assistant", "content": "FRON x"},
                ]
            },
            "rows.2.messages.1",
        ),
        ({"messages": [{"role": "user", "content": "a"}]}, "rows.2.messages"),
        ({"prompt": "a"}, "rows.2.completion"),
        ({"messages": "a"}, "rows.2.messages"),
    ],
)
def test_a_file_with_a_bad_row_is_refused_with_the_row_and_the_field(
    openai: OpenAI, row: dict[str, Any], param: str
) -> None:
    with pytest.raises(BadRequestError) as refused:
        upload(openai, [ROWS[0], row])
    assert refused.value.param == param and "row 2" in refused.value.message
    with pytest.raises(BadRequestError) as purpose:
        openai.files.create(file=("x.jsonl", lines(ROWS)), purpose="batch")
    assert purpose.value.param == "purpose"


def finish(
    engine: Engine,
    job: FineTuningJob,
    make_adapter: Callable[..., Path],
    folder: Path,
    adapter: str,
) -> None:
    """A worker's life, by the worker's own functions."""
    held = lease.claim(engine, "worker", "device", 20.0)
    assert held is not None and job.id == f"ftjob-{held.job_id}"
    with lease.fenced(engine, held) as (session, row):
        stage = row.stages[0]["stage"]
        journal.start_stage(session, row, 0, stage, 5)
        path = make_adapter(folder, adapter, 1, stage=stage, job_id=row.id)
        manifest = read_manifest(path).model_dump(mode="json")
        journal.publish_stage(
            session, row, 0, stage, report({"loss": 0.5, "token_accuracy": 0.9}, manifest, path)
        )
        lease.finish(session, row, "succeeded")


def test_a_supervised_job_from_file_to_model(
    openai: OpenAI, database: Engine, make_adapter: Callable[..., Path], tmp_path: Path
) -> None:
    file = upload(openai, ROWS)
    job = openai.fine_tuning.jobs.create(
        model=BASE,
        training_file=file,
        suffix="modules",
        seed=7,
        metadata={"team": "platform"},
        method={"type": "supervised", "supervised": {"hyperparameters": SETTINGS}},
    )
    assert (job.object, job.status, job.model, job.training_file, job.seed) == (
        "fine_tuning.job",
        "queued",
        BASE,
        file,
        7,
    )
    assert (job.fine_tuned_model, job.finished_at, job.error, job.metadata) == (
        None,
        None,
        None,
        {"team": "platform"},
    )
    assert (
        job.method is not None
        and job.method.type == "supervised"
        and job.hyperparameters.n_epochs == 2
    )
    ours = openai.get(f"/../jobs/{job.id.removeprefix('ftjob-')}", cast_to=object)
    assert isinstance(ours, dict)
    sft, evaluate = ours["stages"]
    # 36 of the 40 rows are trained on, two times, eight a step.
    assert (sft["stage"], sft["batch_size"], sft["max_steps"], evaluate["stage"]) == (
        "sft",
        8,
        9,
        "evaluate",
    )
    assert sft["learning_rate"] == pytest.approx(1e-3)
    finish(database, job, make_adapter, tmp_path, "im-ffff-0-sft")
    done = openai.fine_tuning.jobs.retrieve(job.id)
    assert (done.status, done.fine_tuned_model) == (
        "succeeded",
        f"ft:{BASE}:inframind:modules:im-ffff-0-sft",
    )
    assert done.finished_at is not None and done.finished_at >= done.created_at
    (checkpoint,) = openai.fine_tuning.jobs.checkpoints.list(job.id)
    assert (checkpoint.fine_tuned_model_checkpoint, checkpoint.step_number) == (
        done.fine_tuned_model,
        9,
    )
    assert (checkpoint.metrics.train_loss, checkpoint.fine_tuning_job_id) == (0.5, job.id)
    events = list(openai.fine_tuning.jobs.list_events(job.id, limit=2))
    assert [event.message for event in events][::-1][0] == "the job was accepted" and len(
        events
    ) == 5
    assert {event.object for event in events} == {"fine_tuning.job.event"} and {
        event.type for event in events
    } == {"message"}
    following = openai.fine_tuning.jobs.create(model=str(done.fine_tuned_model), training_file=file)
    assert following.model == "im-ffff-0-sft"
    assert openai.fine_tuning.jobs.cancel(following.id).status == "cancelled"


def test_a_reinforcement_job_maps_onto_dapo(openai: OpenAI, completions: str) -> None:
    file, held = upload(openai, ITEMS), completions
    settings: Any = {
        "n_epochs": 1,
        "batch_size": 4,
        "compute_multiplier": 0.5,
        "eval_samples": 5,
        "reasoning_effort": "default",
    }
    method: Any = {
        "type": "reinforcement",
        "reinforcement": {"grader": {"type": "verifier"}, "hyperparameters": settings},
    }
    job = openai.fine_tuning.jobs.create(
        model=BASE, training_file=file, validation_file=held, method=method
    )
    ours: Any = openai.get(f"/../jobs/{job.id.removeprefix('ftjob-')}", cast_to=object)
    dapo, evaluate = ours["stages"]
    assert (
        dapo["stage"],
        dapo["prompts_per_step"],
        dapo["max_steps"],
        dapo["num_generations"],
    ) == ("dapo", 4, 5, 4)
    assert evaluate["tasks"] == 5
    dataset: Any = openai.get(f"/../datasets/{ours['dataset']}", cast_to=object)
    assert dataset["tasks"] == {"test-values": 10, "train": 20}
    assert (job.validation_file, job.method and job.method.type) == (held, "reinforcement")
    assert openai.fine_tuning.jobs.pause(job.id).status == "paused"
    assert openai.fine_tuning.jobs.resume(job.id).status == "queued"
    assert openai.fine_tuning.jobs.cancel(job.id).status == "cancelled"
    with pytest.raises(ConflictError):
        openai.fine_tuning.jobs.cancel(job.id)


def test_jobs_are_listed_by_pages_and_metadata(openai: OpenAI, completions: str) -> None:
    ids = [
        openai.fine_tuning.jobs.create(
            model=BASE, training_file=completions, metadata={"n": str(index % 2)}
        ).id
        for index in range(4)
    ]
    openai.post("/../jobs", body={"method": "sft"}, cast_to=object)
    assert [job.id for job in openai.fine_tuning.jobs.list(limit=3)][:4] == ids[::-1]
    first = openai.fine_tuning.jobs.list(limit=3)
    assert (len(first.data), first.has_more) == (3, True)
    assert [job.id for job in openai.fine_tuning.jobs.list(metadata={"n": "1"})] == [ids[3], ids[1]]
    for identity in ids:
        openai.fine_tuning.jobs.cancel(identity)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"training_file": "file-" + "0" * 24}, "training_file"),
        ({"validation_file": "file-x"}, "validation_file"), ({"suffix": "a:b"}, "suffix"),
        ({"method": {"type": "dpo"}}, "method.type"),
        (
            {"method": {"type": "reinforcement", "reinforcement": {"grader": {"type": "python"}}}},
            "method.reinforcement.grader",
        ),
        (
            {"method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 0}}}},
            "method.supervised.hyper",
        ),
        ({"method": {"type": "supervised", "reinforcement": {}}}, "method.reinforcement"),
        ({"integrations": [{"type": "wandb", "wandb": {"project": "x"}}]}, "integrations"),
        ({"extra_body": {"surprise": 1}}, "surprise"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_field(
    openai: OpenAI, completions: str, fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(BadRequestError) as refused:
        openai.fine_tuning.jobs.create(**{"model": BASE, "training_file": completions, **fields})
    assert str(refused.value.param).startswith(param)
    with pytest.raises(BadRequestError) as both:
        openai.fine_tuning.jobs.create(
            model=BASE, training_file=completions, validation_file=completions
        )
    assert both.value.param == "validation_file"


@pytest.mark.parametrize(
    ("method", "asked", "field", "message"),
    [
        ("supervised", {"batch_size": 2048}, ".batch_size", "batch_size: .* 1024"),
        (
            "supervised",
            {"learning_rate_multiplier": 1000},
            ".learning_rate_multiplier",
            "learning_rate_multiplier: 1000 means learning_rate 0.5: .* 0.1",
        ),
        (
            "reinforcement",
            {"compute_multiplier": 100},
            ".compute_multiplier",
            "compute_multiplier: 100 means num_generations 800: .* 64",
        ),
        (
            "reinforcement",
            {"batch_size": 512, "compute_multiplier": 8},
            "",
            "prompts_per_step x num_generations is 32768; at most 8192",
        ),
    ],
)
def test_a_hyperparameter_is_refused_by_the_name_that_was_sent(
    openai: OpenAI,
    completions: str,
    method: str,
    asked: dict[str, Any],
    field: str,
    message: str,
) -> None:
    new = {"method": {"type": method, method: {"hyperparameters": asked}}}
    forms = {f"method.{method}.hyperparameters": new}
    if method == "supervised":
        forms["hyperparameters"] = {"hyperparameters": asked}
    for place, body in forms.items():
        with pytest.raises(BadRequestError, match=message) as refused:
            openai.fine_tuning.jobs.create(model=BASE, training_file=completions, extra_body=body)
        assert refused.value.param == place + field


def test_unknown_models_and_jobs_are_404(openai: OpenAI, completions: str) -> None:
    with pytest.raises(NotFoundError) as model:
        openai.fine_tuning.jobs.create(model="gpt-9", training_file=completions)
    assert (model.value.param, model.value.code, model.value.type) == (
        "model",
        "model_not_found",
        "invalid_request_error",
    )
    with pytest.raises(NotFoundError):
        openai.fine_tuning.jobs.retrieve("ftjob-none")
