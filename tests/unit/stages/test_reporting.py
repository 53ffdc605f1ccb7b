"""A step's numbers are reported, left out where they have no value, and refused where they are
none."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from inframind.errors import NonFiniteError
from inframind.stages._reporting import Reporter
from inframind.stages.dapo import Config
from tests.support.recorder import Recorder

LOGS = {"loss": 0.5, "grad_norm": 1.0, "reward": 0.25, "reward_std": 0.1}


def report(tmp_path: Path, step: int = 2, weight: float = 1.0, **logs: Any) -> Recorder:
    """Lets a reporter of `dapo` report one step."""
    context = Recorder(tmp_path)
    model = torch.nn.Linear(2, 2)
    with torch.no_grad():
        model.weight[1, 1] = weight
    state: Any = SimpleNamespace(global_step=step)
    reporter = Reporter(context, 1, Config(max_steps=3, learning_rate=0.05))
    reporter.on_log(None, state, None, {**LOGS, **logs}, model=model)  # type: ignore[arg-type]
    return context


def test_what_has_no_value_is_left_out(tmp_path: Path) -> None:
    """TRL gives None for the rewards of a step whose answers are all unscorable."""
    ((_, _, values),) = report(tmp_path, reward=None, reward_std=None).steps
    assert values["loss"] == 0.5 and not {"reward", "reward_std"} & set(values)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", LOGS)
def test_what_is_no_number_ends_the_stage_and_says_which(
    tmp_path: Path, name: str, value: float
) -> None:
    with pytest.raises(NonFiniteError, match=rf"step 2: its {name} is .*\(0.05\)") as caught:
        report(tmp_path, **{name: value})
    assert caught.value.param == "stages.1.learning_rate"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_weight_that_is_no_number_ends_it_too(tmp_path: Path, value: float) -> None:
    with pytest.raises(NonFiniteError, match="the update made weights NaN"):
        report(tmp_path, weight=value)


def test_the_rate_is_not_blamed_for_what_came_before_the_first_update(tmp_path: Path) -> None:
    with pytest.raises(NonFiniteError, match="before anything was learnt") as caught:
        report(tmp_path, step=1, loss=math.nan)
    assert caught.value.param is None
