"""The demo with tiny settings: it trains, shows verified answers, and ends whole when it is
interrupted."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from inframind.categories import CATEGORIES
from tests.support.fleet import is_alive
from tests.support.running import EVALUATE, ROLLOUTS, SMALL, descendants, is_trainer
from tests.support.waiting import HANG_SECONDS, until

TINY = [
    {"stage": "sft", "max_steps": 6, "batch_size": 4, **SMALL},
    {"stage": "grpo", **ROLLOUTS},
    {"stage": "dapo", "overlong_buffer": 16, **ROLLOUTS},
    EVALUATE,
]
pytestmark = pytest.mark.slow


def demo(folder: Path, spec: dict[str, Any]) -> "subprocess.Popen[str]":
    # As from a terminal: a shell starts what it leaves in the background with Ctrl-C ignored, and
    # these tests may be such a thing.
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
    said, _ = process.communicate(timeout=HANG_SECONDS)
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
        until(lambda process=process: any(is_trainer(pid) for pid in descendants(process.pid)))
        started = descendants(process.pid)
        assert started
        os.killpg(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=HANG_SECONDS)
        assert process.returncode == 130, said
        assert "nothing is left running" in said
        until(lambda started=started: not any(is_alive(pid) for pid in started))
