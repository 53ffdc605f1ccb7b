"""Measure what the looks at NaN cost: per step, per file of weights, per batch of answers.

Usage: `python benchmarks/finite_numbers.py [--repeats 50]`. Prints JSON: the median seconds of one
core.

The step's look is measured on the bundled model and on an adapter of rank 16 of the size of
Qwen2.5-0.5B's, beside a real step of supervised fine-tuning of the bundled model.
"""

import argparse
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from inframind.generation import engine as engines
from inframind.generation.engine import Engine, Request
from inframind.models.adapter import sha256_of
from inframind.models.weights import non_finite_tensors
from inframind.pipeline import PipelineSpec, resolve_stages, run_pipeline
from inframind.stages import _reporting
from inframind.stages.base import Resume, SavedCheckpoint, StageReport

NANO = "inframind-nano"
# Qwen2.5-0.5B's: hidden 896, keys and values 128, feed-forward 4864, 24 layers.
QWEN_LAYER = ((896, 896), (896, 128), (896, 128), (896, 896), (896, 4864), (896, 4864), (4864, 896))
LAYERS, RANK = 24, 16
STEPS, ROWS, TOKENS = 12, 16, 48


class Silent:
    """A context that keeps nothing."""

    def __init__(self, folder: Path) -> None:
        self.run_dir, self.attempt, self.resume, self.judge = folder, 1, Resume(), None

    def progress(self, stage_index: int, step: int, metrics: Mapping[str, float]) -> None:
        pass

    def stage_started(self, stage_index: int, stage: str, total_steps: int) -> None:
        pass

    def event(self, *event: Any) -> None:
        pass

    def checkpoint(self, saved: SavedCheckpoint) -> None:
        pass

    def stage_done(self, stage_index: int, stage: str, report: StageReport) -> None:
        pass

    def should_stop(self) -> bool:
        return False


def median_seconds(work: Callable[[], object], repeats: int) -> float:
    """Do the work once unmeasured, then so many times."""
    work()
    seconds = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        seconds.append(time.process_time() - started)
    return statistics.median(seconds)


def step_seconds(folder: Path) -> tuple[float, float]:
    """A real step of the bundled model, and the look within it."""
    looks: list[float] = []
    ends: list[float] = []
    are_finite = _reporting._are_finite

    def timed(model: Any) -> bool:
        started = time.process_time()
        result = are_finite(model)
        ends.append(time.process_time())
        looks.append(ends[-1] - started)
        return result

    _reporting._are_finite = timed
    stages = resolve_stages(NANO, stages=[{"stage": "sft", "max_steps": STEPS}])
    context = Silent(folder)
    run_pipeline(PipelineSpec(job_id="j", base_model=NANO, stages=stages), context)
    _reporting._are_finite = are_finite
    steps = [end - start for start, end in pairwise(ends)]
    return statistics.median(steps), statistics.median(looks)


def qwen_adapter() -> torch.nn.Module:
    """The matrices of an adapter, without the model."""
    sizes = [size for pair in QWEN_LAYER for size in pair] * LAYERS
    return torch.nn.ParameterList(torch.randn(size, RANK) for size in sizes)


def generation_seconds(engine: Engine, repeats: int) -> dict[str, float]:
    """A batch of sampled rows, with the look at each row's scores and without."""
    rows = [Request("services:\n", None, TOKENS, temperature=1.0, seed=row) for row in range(ROWS)]
    looking = engines.FailedRows

    class Blind(looking):  # type: ignore[misc, valid-type]
        """Takes every score as it is."""

        def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            return scores

    seconds: dict[str, list[float]] = {"with": [], "without": []}
    # In turn: what else the machine does slows both alike.
    for _ in range(repeats):
        for name, kind in (("with", looking), ("without", Blind)):
            engines.FailedRows = kind  # type: ignore[misc]
            seconds[name].append(median_seconds(lambda: engine.generate(rows), 1))
    engines.FailedRows = looking  # type: ignore[misc]
    return {name: statistics.median(values) for name, values in seconds.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=50)
    repeats = parser.parse_args().repeats
    # Seconds of the processor mean the same on a busy machine, if no thread waits for another.
    torch.set_num_threads(1)
    adapter = qwen_adapter()
    with tempfile.TemporaryDirectory() as folder:
        step, look = step_seconds(Path(folder) / "run")
        file = Path(folder) / "adapter_model.safetensors"
        save_file({name: weight.detach() for name, weight in adapter.named_parameters()}, file)
        report = {
            "step_of_nano": step,
            "look_at_nano": look,
            "look_at_qwen_r16": median_seconds(lambda: _reporting._are_finite(adapter), repeats),
            "file_megabytes": file.stat().st_size / 1e6,
            "file_look": median_seconds(lambda: non_finite_tensors(file), max(3, repeats // 10)),
            "file_sha256": median_seconds(lambda: sha256_of(file), max(3, repeats // 10)),
            f"batch_of_{ROWS}x{TOKENS}_tokens": generation_seconds(
                Engine(NANO, "cpu"), max(3, repeats // 10)
            ),
            "machine": f"{platform.machine()}, torch {torch.__version__}",
        }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
