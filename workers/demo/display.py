"""A job as it runs: a live display in a terminal, plain lines elsewhere."""

import time
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

LINE_SECONDS = 5.0


def duration(seconds: float | None) -> str:
    """Writes a duration as minutes and seconds."""
    if seconds is None:
        return "-"
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def numbers(metrics: dict[str, float]) -> str:
    """The metrics that say most."""
    shown = []
    for name, label in (("reward", "reward"), ("pass_rate", "pass"), ("loss", "loss")):
        if name in metrics and not (name == "loss" and "reward" in metrics):
            shown.append(f"{label} {metrics[name]:.3f}")
    if "tokens_per_second" in metrics:
        shown.append(f"{metrics['tokens_per_second']:.0f} tokens/s")
    return ", ".join(shown)


class JobDisplay:
    """Shows job views. A context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[numbers]}"),
            console=console,
        )
        self._job = self._bars.add_task("job", total=100, numbers="")
        self._stages: list[Any] = []
        self._printed: tuple[Any, ...] = ()
        self._printed_at = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._bars.stop()

    def show(self, job: dict[str, Any]) -> None:
        """The newest view of the job."""
        if self._console.is_terminal:
            self._draw(job)
        else:
            self._print(job)

    def _draw(self, job: dict[str, Any]) -> None:
        if not self._stages:
            self._stages = [
                self._bars.add_task(stage["stage"], total=None, numbers="")
                for stage in job["stages"]
            ]
        state = (
            job["state"] if job["attempts"] < 2 else f"{job['state']}, attempt {job['attempts']}"
        )
        left = f", {duration(job['eta_seconds'])} left" if job["eta_seconds"] is not None else ""
        self._bars.update(self._job, completed=round(100 * job["progress"]), numbers=state + left)
        for result in job["stage_results"]:
            total = self._bars.tasks[self._stages[result["stage_index"]]].total or 1
            self._bars.update(
                self._stages[result["stage_index"]],
                total=total,
                completed=total,
                numbers=f"done in {duration(result['train_seconds'])}",
            )
        finished = {result["stage_index"] for result in job["stage_results"]}
        if job["stage_index"] is not None and job["stage_index"] not in finished:
            self._bars.update(
                self._stages[job["stage_index"]],
                total=job["total_steps"],
                completed=job["step"],
                numbers=numbers(job["metrics"]),
            )

    def _print(self, job: dict[str, Any]) -> None:
        now = time.monotonic()
        changed = (job["state"], job["stage"])
        if changed == self._printed and now - self._printed_at < LINE_SECONDS:
            return
        self._printed, self._printed_at = changed, now
        place = f"{job['stage']} {job['step']}/{job['total_steps']}" if job["stage"] else "waiting"
        parts = [
            job["state"],
            place,
            f"{job['progress']:.0%}",
            f"{duration(job['eta_seconds'])} left",
            numbers(job["metrics"]),
        ]
        self._console.print("  ".join(part for part in parts if part), soft_wrap=True)
