"""Answers of the whole service: what was evaluated is what is served, streamed, searched and
repaired."""

import json
from typing import Any

import pytest

from inframind.bench.load import load_tasks
from inframind.bench.prompt import prompt
from inframind.stages.base import StageInput
from inframind.stages.evaluate import Config, chosen
from tests.support.running import EVALUATE, SMALL, Running

pytestmark = pytest.mark.slow


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
    # The judge model has its own line: it likes every answer, and so agrees with the verifier on
    # those that pass.
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
        "messages": prompt(task),
        "category": task.category,
        "max_tokens": 128,
        "temperature": 1.3,
        "seed": 5,
        "checks": [check.model_dump(mode="json", exclude_defaults=True) for check in task.checks],
    }
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
        "instruction": "service web, 80 -> 90",
        "category": "kubernetes",
        "max_tokens": 64,
        "repair": 2,
        "checks": [{"op": "exists", "kind": "Namespace", "name": "never-asked-for"}],
    }
    found = running.http.post("/generate", json=body).json()
    assert found["attempts"] == 3 and len(found["choices"]) == 1
    assert found["usage"]["prompt_tokens"] > 3 * 20
