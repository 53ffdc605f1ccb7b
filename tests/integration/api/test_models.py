"""Models over HTTP and on the command line: what is known of them, aliases, comparison, deletion,
and what leaves the service.
"""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from fastapi.testclient import TestClient
from peft import PeftModel
from transformers import AutoModelForCausalLM
from typer.testing import CliRunner

from app.catalog.service import in_use
from app.cli.main import app as command
from app.db.session import reading
from app.db.tables import Job
from app.jobs import journal, lease, transitions
from app.main import create_app
from app.settings import Settings
from inframind.generation.engine import Engine, Request
from inframind.models.adapter import read_manifest, verify_adapter
from inframind.models.registry import base_model_path
from inframind.models.tokenizer import load_tokenizer
from inframind.stages.evaluate import rate
from inframind.statistics.intervals import wilson
from inframind.types import Verdict
from tests.support.http import in_process
from tests.support.inference_servers import BASE, PROMPT, listening
from tests.support.reports import report

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
SFT, GRPO = "im-aaaa-0-sft", "im-aaaa-1-grpo"
HASH = "sha256:0123"


def verdicts(passed: int, total: int) -> list[Verdict]:
    outcomes = ["pass"] * passed + ["fail"] * (total - passed)
    return [
        Verdict.model_validate(
            {"verdict": outcome, "score": 1.0, "rungs": {}, "category": "compose"}
        )
        for outcome in outcomes
    ]


def row(model: str, adapter: str | None, passed: int, total: int = 80) -> dict[str, Any]:
    figures = rate(verdicts(passed, total))
    scores = {"rules": {"overall": 10 * passed / total, "would_work": passed / total}}
    return {
        "model": model,
        "adapter": adapter,
        **figures,
        "new_families": rate(verdicts(1, 20)),
        "by_category": {"compose": figures},
        "judge": scores,
        "train_seconds": 1.0,
    }


def trained(client: TestClient, make_adapter: Callable[..., Path], folder: Path) -> str:
    """A job that left two adapters and their evaluation, by the worker's own functions."""
    job_id = str(client.post("/jobs", json={"method": "grpo"}).json()["id"])
    engine = client.app.state.engine  # type: ignore[attr-defined]  # our application
    held = lease.claim(engine, "worker", "device", 20.0)
    assert held is not None
    fields = {"job_id": job_id, "dataset": "inframind-bench", "bench_hash": HASH}
    with lease.fenced(engine, held) as (session, job):
        for index, (name, parent) in enumerate(((SFT, None), (GRPO, SFT))):
            stage = name.rpartition("-")[2]
            path = make_adapter(
                folder, name, index + 1, stage=stage, stage_index=index, parent=parent, **fields
            )
            journal.publish_stage(
                session,
                job,
                index,
                stage,
                report({}, read_manifest(path).model_dump(mode="json"), path),
            )
        rows = [row("base", None, 24), row("sft", SFT, 36), row("grpo", GRPO, 56)]
        metrics = {"rows": rows, "bench_hash": HASH, "max_difficulty": 2}
        journal.publish_stage(session, job, 2, "evaluate", report(metrics))
        transitions.finish(session, job, "succeeded")
    return job_id


@pytest.fixture
def job_id(client: TestClient, make_adapter: Callable[..., Path], tmp_path: Path) -> str:
    return trained(client, make_adapter, tmp_path / "adapters")


def test_a_model_shows_its_lineage_files_hashes_and_evaluations(
    client: TestClient, job_id: str, tmp_path: Path
) -> None:
    shown = client.get(f"/models/{GRPO}").json()
    assert [ancestor["id"] for ancestor in shown["lineage"]] == [SFT]
    assert (shown["bench_hash"], shown["dataset"], shown["job_id"]) == (
        HASH,
        "inframind-bench",
        job_id,
    )
    files = verify_adapter(tmp_path / "adapters" / GRPO).files
    assert {(file["name"], file["sha256"]) for file in shown["files"]} == {
        (file.name, file.sha256) for file in files
    }
    (evaluation,) = shown["evaluations"]
    assert (evaluation["pass_at_1"], evaluation["n"], evaluation["job_id"]) == (0.7, 80, job_id)
    assert (
        evaluation["ci95"]
        == [round(bound, 4) for bound in wilson(56, 80)]
        == evaluation["by_category"]["compose"]["ci95"]
    )
    assert client.get(f"/models/{BASE}").json()["evaluations"][0]["pass_at_1"] == 0.3


def test_an_alias_names_a_model_everywhere_and_knows_the_way_back(
    client: TestClient, job_id: str
) -> None:
    assert client.put("/aliases/production", json={"model": SFT}).json()["model"] == SFT
    moved = client.put("/aliases/production", json={"model": GRPO}).json()
    assert (moved["model"], moved["previous"]) == (GRPO, SFT)
    assert client.get("/models/production").json()["id"] == GRPO
    assert client.get(f"/models/{GRPO}").json()["aliases"] == ["production"]
    assert (
        client.get("/aliases").json()["data"]
        == [client.get("/aliases/production").json()]
        == [moved]
    )
    assert (
        client.post("/jobs", json={"method": "dapo", "start_from": "production"}).json()[
            "start_from"
        ]
        == GRPO
    )
    evaluate = client.post(
        "/jobs", json={"method": "evaluate", "models": ["production", BASE]}
    ).json()
    assert evaluate["stages"][0]["models"] == [GRPO, BASE]
    assert client.put("/aliases/staging", json={"model": "production"}).json()["model"] == GRPO
    assert (
        client.delete("/aliases/staging").status_code == 200
        and client.get("/aliases/staging").status_code == 404
    )


@pytest.mark.parametrize("name", ["im-mine", BASE, "Upper", "a:b", "x" * 64, "-a"])
def test_a_name_that_could_be_taken_for_a_model_is_no_alias(client: TestClient, name: str) -> None:
    answer = client.put(f"/aliases/{name}", json={"model": BASE})
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, "alias")


def test_an_alias_of_nothing_is_refused(client: TestClient) -> None:
    assert client.put("/aliases/production", json={"model": "im-none"}).status_code == 404
    assert client.get("/aliases/production").status_code == 404


def test_models_are_compared_with_intervals(client: TestClient, job_id: str) -> None:
    found = client.get("/models/compare", params={"model": [SFT, GRPO, BASE]}).json()
    assert found["comparable"] is True and [one["model"] for one in found["data"]] == [
        SFT,
        GRPO,
        BASE,
    ]
    better = found["data"][1]
    assert better["difference"] == pytest.approx(0.25)
    low, high = better["difference_ci95"]
    assert 0 < low < 0.25 < high
    assert better["evaluation"]["by_category"]["compose"]["n"] == 80
    assert client.get("/models/compare", params={"model": [SFT]}).status_code == 422
    assert client.get("/models/compare", params={"model": [SFT, "im-none"]}).status_code == 404


def test_figures_of_other_tasks_are_not_compared(client: TestClient, job_id: str) -> None:
    engine = client.app.state.engine  # type: ignore[attr-defined]  # our application
    client.post("/jobs", json={"method": "evaluate", "models": [GRPO]})
    held = lease.claim(engine, "worker", "device", 20.0)
    assert held is not None
    with lease.fenced(engine, held) as (session, job):
        metrics = {
            "rows": [row("grpo", GRPO, 9, 10)],
            "bench_hash": "sha256:4567",
            "max_difficulty": 2,
        }
        journal.publish_stage(session, job, 0, "evaluate", report(metrics))
        transitions.finish(session, job, "succeeded")
    # The newest evaluation of one model alone does not hide the one that asked both.
    assert client.get("/models/compare", params={"model": [SFT, GRPO]}).json()["comparable"] is True
    newest = client.get(f"/models/{GRPO}").json()["evaluations"]
    assert [one["n"] for one in newest] == [10, 80]


def test_a_model_goes_when_nothing_needs_it(
    client: TestClient, job_id: str, tmp_path: Path
) -> None:
    engine = client.app.state.engine  # type: ignore[attr-defined]  # our application
    client.put("/aliases/production", json={"model": GRPO})
    queued = client.post("/jobs", json={"method": "evaluate", "models": [GRPO]}).json()["id"]
    with reading(engine) as session:
        assert set(in_use(session)) == {SFT, GRPO}
    aliased = client.delete(f"/models/{GRPO}")
    assert aliased.status_code == 409
    assert (
        "alias production" in aliased.json()["error"]["message"]
        and queued in aliased.json()["error"]["message"]
    )
    assert GRPO in client.delete(f"/models/{SFT}").json()["error"]["message"]
    assert client.delete(f"/models/{BASE}").status_code == 409
    client.delete("/aliases/production")
    client.post(f"/jobs/{queued}/cancel")
    assert client.delete(f"/models/{GRPO}").json() == {
        "id": GRPO,
        "object": "model",
        "deleted": True,
    }
    assert (
        client.get(f"/models/{GRPO}").status_code == 404
        and not (tmp_path / "adapters" / GRPO).exists()
    )
    assert client.delete(f"/models/{SFT}").status_code == 200
    with reading(engine) as session:
        assert in_use(session) == {} and session.get_one(Job, job_id).state == "succeeded"


def test_a_download_is_a_peft_folder_with_a_card(
    client: TestClient, job_id: str, tmp_path: Path
) -> None:
    answer = client.get(f"/models/{GRPO}/download")
    assert (
        answer.headers["content-type"] == "application/x-tar"
        and f"{GRPO}.tar" in answer.headers["content-disposition"]
    )
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        archive.extractall(tmp_path, filter="data")
    folder = tmp_path / GRPO
    assert verify_adapter(folder).id == GRPO
    card = (folder / "README.md").read_text()
    assert (
        "library_name: peft" in card
        and "70.0%" in card
        and "| new values, compose |" in card
        and HASH in card
    )
    assert str(tmp_path) not in (folder / "adapter_config.json").read_text() + card
    model = AutoModelForCausalLM.from_pretrained(base_model_path(BASE))
    assert (
        PeftModel.from_pretrained(model, str(folder)).peft_config["default"].base_model_name_or_path
        == BASE
    )
    assert client.get(f"/models/{BASE}/download").status_code == 422
    weights = tmp_path / "adapters" / GRPO / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    assert client.get(f"/models/{GRPO}/download").status_code == 503


def test_the_command_line_lists_aliases_compares_and_exports(
    settings: Settings, make_adapter: Callable[..., Path], tmp_path: Path
) -> None:
    application = create_app(settings)
    with listening(application) as url:
        client: Any = in_process(application)
        job_id = trained(client, make_adapter, tmp_path / "adapters")

        def run(*arguments: str, code: int = 0) -> str:
            result = CliRunner().invoke(command, [*arguments, "--url", url], env={"COLUMNS": "80"})
            assert result.exit_code == code, result.output
            return result.output

        assert GRPO in run("models", "list")
        assert f"production -> {GRPO}" in run("models", "alias", "production", GRPO)
        assert "70.0% of 80" in run("models", "compare", SFT, GRPO)
        assert "rules: overall" in run("jobs", "results", job_id)
        assert "production" in run("models", "delete", GRPO, code=1)
        out = tmp_path / "peft"
        run("models", "export", "production", "--out", str(out))
        assert verify_adapter(out).id == GRPO and (out / "README.md").is_file()
        assert "new folder" in run("models", "export", GRPO, "--out", str(out), code=2)
        merged = tmp_path / "merged"
        run("models", "export", GRPO, "--out", str(merged), "--merged")
    model = AutoModelForCausalLM.from_pretrained(str(merged), dtype=torch.float32).eval()
    tokens = load_tokenizer(BASE)(PROMPT, return_tensors="pt", add_special_tokens=False)
    made = model.generate(**tokens, max_new_tokens=24, do_sample=False)[
        0, tokens["input_ids"].shape[1] :
    ].tolist()
    engine = Engine(BASE, "cpu")
    engine.add_adapter(GRPO, out)
    assert engine.generate([Request(PROMPT, GRPO, 24)])[0].tokens == made
    assert sorted(path.suffix for path in merged.iterdir() if path.suffix == ".bin") == []


def test_models_show_what_is_there(client: TestClient) -> None:
    models = client.get("/models").json()["data"]
    nano = next(model for model in models if model["id"] == "inframind-nano")
    assert (nano["kind"], nano["available"]) == ("base", True)
    assert client.get("/models/Qwen/Qwen2.5-0.5B-Instruct").json()["kind"] == "base"
    assert client.get("/models/../../etc/passwd").status_code == 404
