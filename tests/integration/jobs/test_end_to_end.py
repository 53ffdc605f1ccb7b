"""The whole path over HTTP with real training: the demo with tiny settings, kill -9 of a real trainer, and Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import BadRequestError, DefaultHttpxClient, NotFoundError, OpenAI

from inframind.bench.load import load_tasks
from inframind.bench.prompt import answer, prompt
from inframind.categories import CATEGORIES
from inframind.generation.template import render
from inframind.stages.base import StageInput
from inframind.stages.evaluate import Config, chosen
from tests.support.fleet import children, is_alive, until
from tests.support.scripted_judge import scripted, single_reply
from workers.up import free_port

SMALL: dict[str, Any] = {"max_difficulty": 1, "lora": {"r": 8}}
ROLLOUTS = {"max_steps": 1, "prompts_per_step": 2, "num_generations": 4, "max_tokens": 64, **SMALL}
EVALUATE = {
    "stage": "evaluate",
    "tasks": 10,
    "new_family_tasks": 5,
    "max_tokens": 128,
    "max_difficulty": 1,
}
TINY = [
    {"stage": "sft", "max_steps": 6, "batch_size": 4, **SMALL},
    {"stage": "grpo", **ROLLOUTS},
    {"stage": "dapo", "overlong_buffer": 16, **ROLLOUTS},
    EVALUATE,
]
pytestmark = pytest.mark.slow


def descendants(pid: int) -> list[int]:
    """All live processes below one."""
    found = children(pid)
    return found + [below for child in found for below in descendants(child)]


def is_trainer(pid: int) -> bool:
    try:
        return b"workers.trainer" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def demo(folder: Path, spec: dict[str, Any]) -> "subprocess.Popen[str]":
    # As from a terminal: a shell starts what it leaves in the background with Ctrl-C ignored, and these tests may be such a thing.
    command = [
        "env",
        "--default-signal=INT",
        sys.executable,
        "-m",
        "workers.demo",
        "--data-dir",
        str(folder),
        "--spec",
        json.dumps(spec),
    ]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def test_the_demo_trains_shows_verified_answers_and_writes_its_report(tmp_path: Path) -> None:
    process = demo(tmp_path / "data", {"method": None, "stages": TINY})
    said, _ = process.communicate(timeout=280)
    assert process.returncode == 0, said
    last = said.strip().splitlines()[-1]
    assert last == str(tmp_path / "data" / "report.json")
    report = json.loads(Path(last).read_text())
    assert [row["model"] for row in report["rows"]] == ["base", "sft", "grpo", "dapo"]
    for row in report["rows"]:
        low, high = row["ci95"]
        assert (
            row["n"] == 10
            and row["new_families"]["n"] == 5
            and 0 <= low <= row["pass_at_1"] <= high <= 1
        )
        assert (row["train_seconds"] > 0) == (row["model"] != "base")
    assert report["wall_seconds"] > 0 and report["machine"]
    for category in CATEGORIES:
        assert f"{category}: asked" in said
    assert f"of {len(CATEGORIES)} answers pass" in said


def test_ctrl_c_leaves_no_process_and_the_next_run_starts_cleanly(tmp_path: Path) -> None:
    for _ in range(2):
        process = demo(tmp_path / "data", {"method": None, "stages": TINY})
        until(lambda process=process: any(is_trainer(pid) for pid in descendants(process.pid)), 120)
        started = descendants(process.pid)
        assert started
        os.killpg(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 130, said
        assert "nothing is left running" in said
        until(lambda started=started: not any(is_alive(pid) for pid in started), 5)


class Running:
    """`inframind up` and its client."""

    def __init__(self, folder: Path, judge: str) -> None:
        port = free_port("127.0.0.1")
        self.data = folder
        command = [
            sys.executable,
            "-m",
            "workers.up",
            "--data-dir",
            str(folder),
            "--port",
            str(port),
        ]
        judged = {
            "INFRAMIND_JUDGE_URL": judge,
            "INFRAMIND_JUDGE_MODEL": "scripted",
            "INFRAMIND_JUDGE_API_KEY": "sk-1",
        }
        env = {**os.environ, **judged, "INFRAMIND_LEASE_SECONDS": "5"}
        self.process = subprocess.Popen(
            command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120, trust_env=False)
        until(self.is_ready, 120)

    def is_ready(self) -> bool:
        try:
            return self.http.get("/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    def job(self, job_id: str) -> Any:
        return self.http.get(f"/jobs/{job_id}").json()

    def submit(self, *stages: dict[str, Any]) -> str:
        accepted = self.http.post("/jobs", json={"stages": stages})
        assert accepted.status_code == 201, accepted.text
        return str(accepted.json()["id"])

    def finished(self, job_id: str) -> Any:
        until(lambda: self.job(job_id)["state"] in ("succeeded", "failed", "cancelled"), 200)
        job = self.job(job_id)
        assert job["state"] == "succeeded", job["error"]
        return job

    def trainer(self) -> int:
        """The process that trains."""
        return next(filter(is_trainer, descendants(self.process.pid)))

    def close(self) -> None:
        self.http.close()
        self.process.terminate()
        self.process.wait(20)


def approving(body: dict[str, Any]) -> str:
    """A judge with the right key likes everything."""
    assert (
        body["authorization"] == "Bearer sk-1"
        and "A RIGHT ANSWER" in body["messages"][-1]["content"]
    )
    return single_reply(body, True)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with scripted(approving) as judge:
        made = Running(tmp_path_factory.mktemp("up"), judge)
        yield made
        made.close()


def weights(running: Running, adapter: str) -> str:
    manifest = running.http.get(f"/models/{adapter}").json()["manifest"]
    return str(
        next(file["sha256"] for file in manifest["files"] if file["name"].endswith(".safetensors"))
    )


def test_kill_9_of_the_trainer_costs_no_step_and_changes_no_byte(running: Running) -> None:
    stage = {"stage": "sft", "max_steps": 24, "batch_size": 8, "save_every": 2, **SMALL}
    undisturbed = running.finished(running.submit(stage))
    job_id = running.submit(stage)
    until(lambda: running.job(job_id)["step"] >= 8, 120)
    os.kill(running.trainer(), signal.SIGKILL)
    job = running.finished(job_id)
    codes = [event["code"] for event in running.http.get(f"/jobs/{job_id}/events").json()["data"]]
    assert "resumed" in codes and codes.count("succeeded") == 1
    assert weights(running, job["adapters"][-1]) == weights(running, undisturbed["adapters"][-1])
    steps = [
        m["step"]
        for m in running.http.get(f"/jobs/{job_id}/metrics", params={"limit": 100}).json()["data"]
    ]
    assert steps == list(range(1, 25))


def test_what_was_evaluated_is_what_is_served(running: Running) -> None:
    evaluate = {**EVALUATE, "judged_tasks": 5}
    job = running.finished(
        running.submit({"stage": "sft", "max_steps": 30, "batch_size": 8, **SMALL}, evaluate)
    )
    metrics = job["stage_results"][-1]["metrics"]
    row = metrics["rows"][-1]
    known, _ = chosen(Config.model_validate(EVALUATE), StageInput("", 0, "", "", 0))
    outcomes = []
    for task in known:
        body = {
            "model": job["adapters"][-1],
            "messages": prompt(task),
            "max_tokens": EVALUATE["max_tokens"],
            "category": task.category,
            "checks": [
                check.model_dump(mode="json", exclude_defaults=True) for check in task.checks
            ],
        }
        said = running.http.post("/generate", json=body)
        assert said.status_code == 200, said.text
        outcomes.append(said.json()["choices"][0]["verdict"]["verdict"] == "pass")
    assert sum(outcomes) / len(known) == pytest.approx(row["pass_at_1"], abs=1e-4)
    # The judge model has its own line: it likes every answer, and so agrees with the verifier on those that pass.
    judge = row["judge"]["llm"]
    assert (judge["answers"], judge["abstain_rate"], judge["would_work"], judge["overall"]) == (
        5,
        0,
        1,
        pytest.approx(8.8),
    )
    assert judge["agreement"] == sum(outcomes[::2]) / 5
    assert (metrics["judge_model"]["model"], metrics["judge_model"]["trusted"]) == (
        "scripted",
        False,
    )
    (evaluation,) = running.http.get(f"/models/{job['adapters'][-1]}").json()["evaluations"]
    assert (
        evaluation["judge"]["llm"] == judge
        and "never calibrated" in evaluation["judge_model"]["note"]
    )


def test_a_job_trains_and_is_evaluated_on_a_dataset_of_ones_own(running: Running) -> None:
    tasks = load_tasks("train", max_difficulty=1, limit=30)
    rows = [
        {"instruction": task.instruction, "input": task.input, "output": answer(task)}
        for task in tasks
    ]
    made = running.http.post("/datasets", content="\n".join(map(json.dumps, rows)))
    assert made.status_code == 201, made.text
    rollouts = {**ROLLOUTS, "max_steps": 1}
    stages = [
        {"stage": "sft", "max_steps": 3, "batch_size": 4},
        {"stage": "grpo", **rollouts},
        EVALUATE,
    ]
    accepted = running.http.post("/jobs", json={"stages": stages, "dataset": made.json()["id"]})
    job = running.finished(accepted.json()["id"])
    found = job["stage_results"][-1]["metrics"]["rows"]
    assert [(row["model"], row["n"], row["new_families"]["n"]) for row in found] == [
        ("base", 3, 0),
        ("sft", 3, 0),
        ("grpo", 3, 0),
    ]
    manifest = running.http.get(f"/models/{job['adapters'][0]}").json()["manifest"]
    assert (
        manifest["dataset"] == made.json()["id"]
        and manifest["dataset"].removeprefix("ds-") in manifest["bench_hash"]
    )


def test_a_stream_brings_pieces_and_then_the_verified_answer(running: Running) -> None:
    (task,) = load_tasks("test-values", max_difficulty=1, limit=1)
    body = {
        "instruction": task.instruction,
        "input": task.input,
        "stream": True,
        "verify": True,
        "max_tokens": 128,
    }
    whole = running.http.post("/generate", json={**body, "stream": False}).json()["choices"][0]
    with running.http.stream("POST", "/generate", json=body) as stream:
        events = [
            block.splitlines()
            for block in "".join(stream.iter_text()).replace("\r\n", "\n").split("\n\n")
            if block.strip()
        ]
    pieces = [
        json.loads(lines[0].removeprefix("data: "))
        for lines in events[:-1]
        if lines[0].startswith("data: ")
    ]
    assert "".join(piece["text"] for piece in pieces) == whole["text"]
    assert events[-1][0] == "event: done"
    assert json.loads(events[-1][1].removeprefix("data: "))["choices"][0] == whole


def test_best_of_samples_until_one_passes_and_ranks(running: Running) -> None:
    (task,) = load_tasks("test-values", max_difficulty=1, limit=1)
    body: dict[str, Any] = {
        "messages": prompt(task), "category": task.category, "max_tokens": 128, "temperature": 1.3, "seed": 5,
        "checks": [check.model_dump(mode="json", exclude_defaults=True) for check in task.checks],
    }  # fmt: skip
    found = running.http.post("/generate", json={**body, "best_of": 12, "n": 2}).json()
    scores = [
        (choice["verdict"]["verdict"] == "pass", choice["verdict"]["score"])
        for choice in found["choices"]
    ]
    assert len(scores) == 2 and scores == sorted(scores, reverse=True)
    assert found["attempts"] == 12 or scores[1][0]
    every = running.http.post("/generate", json={**body, "n": 12}).json()["choices"]
    assert scores[0][1] >= max(choice["verdict"]["score"] for choice in every[: found["attempts"]])


def test_repair_hands_the_findings_back(running: Running) -> None:
    body = {
        "instruction": "service web, 80 -> 90", "category": "kubernetes", "max_tokens": 64, "repair": 2,
        "checks": [{"op": "exists", "kind": "Namespace", "name": "never-asked-for"}],
    }  # fmt: skip
    found = running.http.post("/generate", json=body).json()
    assert found["attempts"] == 3 and len(found["choices"]) == 1
    assert found["usage"]["prompt_tokens"] > 3 * 20


def test_a_running_job_is_cancelled_with_its_work_kept(running: Running) -> None:
    job_id = running.submit(
        {"stage": "sft", "max_steps": 2000, "save_every": 5, "batch_size": 4, **SMALL}
    )
    until(lambda: running.job(job_id)["step"] >= 3, 120)
    assert running.http.post(f"/jobs/{job_id}/cancel").json()["cancel_requested"] is True
    until(lambda: running.job(job_id)["state"] == "cancelled", 60)
    assert running.http.post(f"/jobs/{job_id}/cancel").status_code == 409


@pytest.fixture
def openai(running: Running) -> Iterator[OpenAI]:
    """OpenAI's own client, unmodified."""
    url = running.http.base_url.join("/v1")
    with OpenAI(
        base_url=str(url),
        api_key="none",
        max_retries=0,
        http_client=DefaultHttpxClient(trust_env=False),
    ) as made:
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
            model="inframind-nano", messages=ASKED, temperature=1, seed=3, max_tokens=48, stream=True,
            stream_options={"include_usage": True},
        )
    )  # fmt: skip
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
        model="inframind-nano", training_file=file.id, suffix="tiny", seed=3,
        method={"type": "supervised", "supervised": {"hyperparameters": settings}},
    )  # fmt: skip
    assert job.status in ("queued", "running")
    until(lambda: openai.fine_tuning.jobs.retrieve(job.id).status not in ("queued", "running"), 200)
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
