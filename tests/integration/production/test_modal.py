"""Modal's app, run in its local mode: the same function, here, without an account."""

from pathlib import Path
from typing import Any

import pytest

from inframind.models.adapter import verify_adapter
from tests.support.modal import load_modal_app

SPEC = {
    "base_model": "inframind-nano",
    "stages": [
        {"stage": "sft", "max_steps": 2, "batch_size": 4},
        {"stage": "evaluate", "tasks": 2, "new_family_tasks": 1, "max_tokens": 32},
    ],
}


@pytest.fixture
def modal_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("INFRAMIND_DATA_DIR", str(tmp_path))
    return load_modal_app()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The train function is executing locally:UserWarning")
def test_the_function_trains_the_job_of_the_contract_once(modal_app: Any, tmp_path: Path) -> None:
    ended = modal_app.train.local(SPEC, "a-key")
    assert ended["state"] == "succeeded", ended["error"]
    assert [result["stage"] for result in ended["stage_results"]] == ["sft", "evaluate"]
    (adapter,) = ended["adapters"]
    (folder,) = tmp_path.glob(f"artifacts/{ended['id']}/*/{adapter}")
    assert verify_adapter(folder).job_id == ended["id"]
    assert modal_app.train.local(SPEC, "a-key")["id"] == ended["id"], (
        "a repeated call goes on with its job"
    )
