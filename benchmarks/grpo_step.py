"""Compare a GRPO step of the demo's size with plain TRL's.

Usage: `python benchmarks/grpo_step.py [--steps 5] [--rounds 3]`. Prints JSON.

Both train the same fresh adapter on the same prompts with the same verified reward and the same
seed, in turns, each in a fresh process. The stage reports, checkpoints and publishes as it always
does; TRL's own trainer runs as its documentation shows it.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from peft import LoraConfig
from transformers import TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from inframind.bench.load import load_tasks
from inframind.models.registry import base_model_path
from inframind.models.tokenizer import load_tokenizer
from inframind.stages import STAGES, _rollouts, grpo
from inframind.stages._reward import verified_reward
from inframind.stages.base import Resume, SavedCheckpoint, StageInput, StageReport
from inframind.verifier.verifier import Verifier

BASE_MODEL = "inframind-nano"
RECIPE = grpo.Config.recipe(BASE_MODEL)


class Clock(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Seconds of every step, generation and reward included."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._began = 0.0

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        self._began = time.monotonic()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.seconds.append(time.monotonic() - self._began)


class Context:
    """Takes the reports of a stage."""

    attempt = 1
    resume = Resume()

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.seconds: list[float] = []

    def progress(self, stage_index: int, step: int, metrics: Mapping[str, float]) -> None:
        self.seconds.append(metrics["step_seconds"])

    def stage_started(self, stage_index: int, stage: str, total_steps: int) -> None: ...

    def event(
        self, level: str, code: str, message: str, data: Mapping[str, Any] | None = None
    ) -> None: ...

    def checkpoint(self, saved: SavedCheckpoint) -> None: ...

    def stage_done(self, stage_index: int, stage: str, report: StageReport) -> None: ...

    def should_stop(self) -> bool:
        return False


def ours(steps: int, folder: Path) -> list[float]:
    """Seconds of each step of the stage `grpo`."""
    config = grpo.Config.model_validate({**RECIPE, "max_steps": steps})
    context = Context(folder)
    STAGES["grpo"].run(config, StageInput("0" * 32, 0, BASE_MODEL, "inframind-bench", 0), context)
    return context.seconds


def plain(steps: int, folder: Path) -> list[float]:
    """Seconds of each step of trl.GRPOTrainer with the same model, data and reward."""
    tasks = load_tasks("train", max_difficulty=RECIPE["max_difficulty"])
    answers = RECIPE["prompts_per_step"] * RECIPE["num_generations"]
    arguments = GRPOConfig(
        output_dir=str(folder),
        max_steps=steps,
        learning_rate=RECIPE["learning_rate"],
        per_device_train_batch_size=answers,
        num_generations=RECIPE["num_generations"],
        max_completion_length=RECIPE["max_tokens"],
        loss_type="grpo",
        beta=0.0,
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        bf16=False,
        seed=0,
        disable_tqdm=True,
        activation_checkpointing=False,
        model_init_kwargs={"dtype": "float32"},
    )
    lora = LoraConfig(
        r=16,
        lora_alpha=32,
        task_type="CAUSAL_LM",
        target_modules=[
            "q_proj",
            "k_proj",
            "v_proj",
            "o_proj",
            "gate_proj",
            "up_proj",
            "down_proj",
        ],
    )
    clock, tokenizer = Clock(), load_tokenizer(BASE_MODEL)
    with Verifier(workers=2) as verifier:
        trainer = GRPOTrainer(
            model=str(base_model_path(BASE_MODEL)),
            args=arguments,
            peft_config=lora,
            callbacks=[clock],
            processing_class=tokenizer,
            train_dataset=_rollouts.dataset(tasks),
            reward_funcs=[
                verified_reward(
                    {task.id: task for task in tasks}, verifier, _rollouts.decoder(tokenizer)
                )
            ],
        )
        trainer.train()
    return clock.seconds


KINDS = {"inframind": ours, "trl": plain}


def measured(kind: str, steps: int) -> list[float]:
    """Seconds of the steps of one fresh process; the first step also warms up and is left out."""
    command = [sys.executable, __file__, "--steps", str(steps), "--only", kind]
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    seconds: list[float] = json.loads(done.stdout.splitlines()[-1])
    return seconds[1:]


def main() -> None:
    """Measure both trainers in turns and print the medians as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--only",
        choices=KINDS,
        help="Measure one of the two in this process; for this benchmark's own use.",
    )
    options = parser.parse_args()
    if options.only:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(KINDS[options.only](options.steps, Path(folder))))
        return
    seconds: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(options.rounds):
        for kind in KINDS:
            seconds[kind] += measured(kind, options.steps)
    medians = {kind: statistics.median(values) for kind, values in seconds.items()}
    report = {
        "step_seconds": {kind: round(value, 3) for kind, value in medians.items()},
        "steps": {kind: len(values) for kind, values in seconds.items()},
        "ratio": round(medians["inframind"] / medians["trl"], 3),
        "answers_per_step": RECIPE["prompts_per_step"] * RECIPE["num_generations"],
        "cores": len(os.sched_getaffinity(0)),
        "machine": platform.machine(),
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
