"""A pipeline that trains nothing, fast: the real protocol, real checkpoints, real adapter folders.

Its result is a hash over every step of every stage, so a step that was lost, repeated or taken from
elsewhere shows. `seed` says how it behaves: 0 well, and the constants below otherwise. HOLDS and
HOLDS_TWICE wait at a step, so that a test finds the job there on a machine of any speed.
"""

import errno
import hashlib
import json
import math
import os
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from inframind.errors import ConfigError, SandboxError, StoppedError
from inframind.models.adapter import AdapterManifest, adapter_id, publish, sha256_of
from inframind.pipeline import PipelineSpec, run_pipeline
from inframind.stages.base import SavedCheckpoint, StageContext, StageReport
from tests.support.weights import poison, write_weights

STEP_SECONDS = 0.05
(
    WELL,
    RAISES_CONFIG,
    RAISES_SANDBOX,
    CRASHES,
    HANGS,
    IGNORES_STOP,
    RAISES_BUG,
    QUITS,
    FULL_ONCE,
    BAD_DISK_ONCE,
    ESCAPES,
    HOLDS,
    HOLDS_TWICE,
    FLOODS,
    FLOODS_STEPS,
    QUOTES_BYTES,
    TURNS_NAN,
    LEAVES_NAN,
) = range(18)
POISONOUS = 100
"""Jobs with this seed and above send the POISON of their number, instead of step 3."""
POISON: tuple[bytes, ...] = (
    b"no JSON",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"kind": "event", "level": "info", "code": "x", "message": "a\\u0000b"}',
    b'{"kind": "event", "level": "info", "code": "x", "message": "a\\ud800b"}',
    b'{"kind": "event", "level": "info", "code": "x", "message": "m", "data": {"a\\u0000": [1]}}',
    b'{"kind": "event", "level": "info", "code": "' + b"c" * 5000 + b'", "message": "m"}',
    b'{"kind": "event", "level": "info", "code": "x", "message": "m", "data": {"n": NaN}}',
    b'{"kind": "event", "level": "info", "code": "x", "message": "m", "data": {"n": 1e999}}',
    b'{"kind": "event", "level": "info", "code": "x", "message": "m", "data": {"n": 1'
    + b"0" * 9000
    + b"}}",
    b'{"kind": "progress", "stage_index": 0, "step": 9223372036854775808, "metrics": {}}',
    b'{"kind": "progress", "stage_index": 0, "step": -1, "metrics": {}}',
    b'{"kind": "progress", "stage_index": 7, "step": 3, "metrics": {}}',
    b'{"kind": "progress", "stage_index": 0, "step": 3, "metrics": {"loss": "high"}}',
    b'{"kind": "progress", "stage_index": 0, "step": 3, "metrics": {"loss": -1e999}}',
    b'{"kind": "stage_started", "stage_index": 0, "stage": "sft", "total_steps": 12}',
    b'{"kind": "stage_started", "stage_index": 1, "stage": "dapo", "total_steps": 4}',
    b'{"kind": "stage_started", "stage_index": 1, "stage": "evaluate", "total_steps": 2147483648}',
    b'{"kind": "checkpoint", "checkpoint": {"stage_index": 0, "step": 3, "path": "/'
    + b"p" * 9000
    + b'", "sha256": "00"}}',
    b'{"kind": "checkpoint", "checkpoint": {"stage_index": 0, "step": 3, "path": "/a\\u0000", '
    b'"sha256": "00"}}',
    b'{"kind": "checkpoint", "checkpoint": {"stage_index": 0, "step": 3, "path": "%s/loop", '
    b'"sha256": "00"}}',
    b'{"kind": "checkpoint", "checkpoint": {"stage_index": 0, "step": 3, "path": "%s", "sha256": "'
    + b"0" * 5000
    + b'"}}',
    b'{"kind": "stage_done", "stage_index": 0, "stage": "sft", "report": {"metrics": '
    b'{"loss": Infinity}, "train_seconds": 1.0}}',
    b'{"kind": "stage_done", "stage_index": 0, "stage": "sft", "report": {"metrics": {}, '
    b'"train_seconds": 1e999}}',
    b'{"kind": "stage_done", "stage_index": 1, "stage": "sft", "report": {"metrics": {}, '
    b'"train_seconds": 1.0}}',
)
"""Lines that no row can hold, or that mean nothing; %s is the attempt's folder."""
FLOOD = 100_000
"""Events, or steps, that FLOODS and FLOODS_STEPS report at once."""
HELD_AT = {
    HOLDS: {1: 10},
    HOLDS_TWICE: {1: 10, 2: 30},
    # It does not stop, so whoever asks it to must find it at work.
    IGNORES_STOP: {1: 10},
}
"""Behaviour -> attempt -> the step at which it waits."""
GO_ON = "go-on"
"""The file in the attempt's folder that lets a held job go on."""


def step_hash(before: str, stage: str, step: int) -> str:
    return hashlib.sha256(f"{before}/{stage}/{step}".encode()).hexdigest()


def expected(stages: list[tuple[str, int]]) -> str:
    """The last stage's hash of an undisturbed run."""
    value = ""
    for name, steps in stages:
        for step in range(1, steps + 1):
            value = step_hash(value, name, step)
    return value


REAL = 1000
"""Jobs with this seed and above run the product's pipeline."""


def run(spec: PipelineSpec, context: StageContext) -> None:
    """Runs the stand-in's stages, or a real job's."""
    if spec.seed >= REAL:
        run_pipeline(spec, context)
        return
    value = ""
    for index, config in enumerate(spec.stages):
        done = context.resume.finished.get(index)
        if done is None:
            context.stage_started(index, config.stage, config.total_steps)
            value = stage(spec, context, index, value)
        else:
            value = done.metrics["hash"]


def stage(spec: PipelineSpec, context: StageContext, index: int, value: str) -> str:
    config = spec.stages[index]
    step, value = newest(context, index, value)
    while step < config.total_steps:
        if step == 6 and context.attempt == 1:
            fail_on_disk(spec.seed)
        if step == HELD_AT.get(spec.seed, {}).get(context.attempt):
            hold(spec, context)
        if context.should_stop() and spec.seed != IGNORES_STOP:
            save(context, index, step, value)
            raise StoppedError
        misbehave(spec.seed, step)
        if (index, step) == (0, 2):
            disturb(spec.seed, context)
        time.sleep(STEP_SECONDS)
        step += 1
        value = step_hash(value, config.stage, step)
        loss = math.nan if spec.seed == TURNS_NAN and step == 6 else 1.0 / step
        context.progress(index, step, {"loss": loss})
        if step % 4 == 0:
            save(context, index, step, value, escapes=spec.seed == ESCAPES)
    context.stage_done(index, config.stage, report(spec, context, index, value))
    return value


def hold(spec: PipelineSpec, context: StageContext) -> None:
    """Waits until the job is asked to stop, or a test lets it go on (`let_go`)."""
    while not (context.run_dir / GO_ON).exists():
        if context.should_stop() and spec.seed != IGNORES_STOP:
            return
        time.sleep(STEP_SECONDS)


def fail_on_disk(behaviour: int) -> None:
    """The kernel's own error, or one that only a broken disk gives."""
    if behaviour == FULL_ONCE:
        Path("/dev/full").write_text("a checkpoint")
    if behaviour == BAD_DISK_ONCE:
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def misbehave(behaviour: int, step: int) -> None:
    if step == 2 and behaviour == RAISES_CONFIG:
        raise ConfigError("no such thing", param="stages.0.max_steps")
    if step == 2 and behaviour == RAISES_SANDBOX:
        raise SandboxError("no workers")
    if step == 2 and behaviour == RAISES_BUG:
        raise KeyError("missing")
    if step == 2 and behaviour == CRASHES:
        os.kill(os.getpid(), signal.SIGSEGV)
    if step == 2 and behaviour == QUITS:
        os._exit(0)
    if step == 2 and behaviour == HANGS:
        time.sleep(3600)


def disturb(behaviour: int, context: Any) -> None:
    """Reports what no honest trainer does, to the pipe itself."""
    if behaviour == QUOTES_BYTES:
        context.event("warn", "quoted", "it said \x00\ud800", {"answers": ["\x00", "\udfff"]})
        raise ConfigError("a file with \x00 and \udfff", param="dataset\x00")
    if behaviour == FLOODS:
        for number in range(FLOOD):
            context.event("info", "flood", f"event {number}", {"number": number})
    if behaviour == FLOODS_STEPS:
        for step in range(1, FLOOD + 1):
            context.progress(0, step, {"loss": 1.0})
    if POISONOUS <= behaviour < POISONOUS + len(POISON):
        (context.run_dir / "loop").symlink_to(context.run_dir / "loop")
        line = POISON[behaviour - POISONOUS]
        line = line.replace(b"%s", str(context.run_dir).encode())
        os.write(context._writer._descriptor, line + b"\n")


def save(
    context: StageContext, index: int, step: int, value: str, *, escapes: bool = False
) -> None:
    path = context.run_dir / f"stage-{index}" / f"checkpoint-{step}"
    if escapes:
        # Outside by a link, though its name is inside.
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(tempfile.mkdtemp(dir=context.run_dir.parents[2]))
    path.mkdir(parents=True, exist_ok=True)
    (path / "MANIFEST.json").write_text(json.dumps({"step": step, "value": value}))
    digest = sha256_of(path / "MANIFEST.json")
    context.checkpoint(SavedCheckpoint(stage_index=index, step=step, path=path, sha256=digest))


def newest(context: StageContext, index: int, value: str) -> tuple[int, str]:
    mine = [c for c in context.resume.checkpoints if c.stage_index == index]
    for saved in sorted(mine, key=lambda c: c.step, reverse=True):
        manifest = saved.path / "MANIFEST.json"
        if manifest.is_file() and sha256_of(manifest) == saved.sha256:
            context.event("info", "resumed", f"from step {saved.step}", {"step": saved.step})
            held = json.loads(manifest.read_text())
            return held["step"], held["value"]
    return 0, value


def report(spec: PipelineSpec, context: StageContext, index: int, value: str) -> StageReport:
    config = spec.stages[index]
    if config.stage == "evaluate":
        return StageReport(metrics={"hash": value, "rows": []}, train_seconds=0.1)
    work = context.run_dir / f"stage-{index}" / "adapter"
    work.mkdir(parents=True, exist_ok=True)
    (work / "adapter_config.json").write_text("{}")
    weights = work / "adapter_model.safetensors"
    write_weights(weights, value)
    manifest = AdapterManifest(
        id=adapter_id(spec.job_id, index, config.stage, context.attempt),
        job_id=spec.job_id,
        base_model=spec.base_model,
        stage=config.stage,
        stage_index=index,
        parent=None,
        quantization="none",
        lora={},
        config={},
        dataset=spec.dataset,
        bench_hash="",
        seed=spec.seed,
        metrics={},
        train_seconds=0.1,
        versions={},
    )
    target: Path = context.run_dir / manifest.id
    manifest = publish(work, target, manifest)
    if spec.seed == LEAVES_NAN:
        manifest = poison(target)
    return StageReport(metrics={"hash": value}, train_seconds=0.1, manifest=manifest, path=target)
