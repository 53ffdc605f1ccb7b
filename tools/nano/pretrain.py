"""Pretraining of `inframind-nano` from scratch on the CPU: plain next-token loss on the answers,
Muon and AdamW.
"""

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

Example = tuple[list[int], list[int]]
"""Token ids of the context (no loss) and of the continuation (loss)."""


@dataclass(frozen=True)
class Schedule:
    """Length and speed of a pretraining; rates are the peaks of a warm-up and cosine schedule."""

    steps: int = 2400
    tokens_per_batch: int = 3000
    warmup_steps: int = 60
    matrix_rate: float = 0.02
    """Muon (Jordan 2024, https://kellerjordan.github.io/posts/muon/), for the hidden matrices."""
    other_rate: float = 3e-3
    """AdamW, for embeddings, norms and biases."""
    seed: int = 0


def rate_at(step: int, schedule: Schedule) -> float:
    """Share of the peak rate at `step`: linear warm-up, then cosine down to 2 %."""
    if step < schedule.warmup_steps:
        return (step + 1) / schedule.warmup_steps
    done = (step - schedule.warmup_steps) / max(1, schedule.steps - schedule.warmup_steps)
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done))


def collate(batch: Sequence[Example], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Right-padded ids and labels, both [B, T]; labels are -100 outside the continuations."""
    width = max(len(context) + len(continuation) for context, continuation in batch)
    ids = torch.full((len(batch), width), pad)
    # -100 is what PyTorch's cross-entropy ignores.
    labels = torch.full((len(batch), width), -100)
    for row, (context, continuation) in enumerate(batch):
        end = len(context) + len(continuation)
        ids[row, :end] = torch.tensor(context + continuation)
        labels[row, len(context) : end] = torch.tensor(continuation)
    return ids, labels


def batches(
    examples: Iterator[Example], tokens: int, rng: random.Random
) -> Iterator[list[Example]]:
    """Endless batches of about `tokens` tokens, examples of like length together so that little is
    padding.
    """
    while True:
        # Sorted 512 at a time: like lengths in one batch, and still new neighbours every time.
        pool = sorted(
            (next(examples) for _ in range(512)), key=lambda pair: len(pair[0]) + len(pair[1])
        )
        ready: list[list[Example]] = [[]]
        for example in pool:
            if ready[-1] and (len(ready[-1]) + 1) * (len(example[0]) + len(example[1])) > tokens:
                ready.append([])
            ready[-1].append(example)
        rng.shuffle(ready)
        yield from ready


class Muon(torch.optim.Optimizer):
    """Momentum whose update is made orthogonal by Newton and Schulz's iteration (Jordan 2024), in
    the weights' own precision: `torch.optim.Muon` iterates in bfloat16, which took twenty times as
    long on an AMD EPYC with AVX2, which emulates it.
    """

    def __init__(
        self, matrices: list[torch.nn.Parameter], lr: float, momentum: float = 0.95
    ) -> None:
        super().__init__(matrices, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]  # nobody needs a closure
        """One update of every matrix that has a gradient."""
        for group in self.param_groups:
            for matrix in group["params"]:
                mean = self.state[matrix].setdefault("mean", torch.zeros_like(matrix))
                mean.lerp_(matrix.grad, 1 - group["momentum"])
                update = orthogonal(matrix.grad.lerp(mean, group["momentum"]))
                rows, columns = matrix.shape
                # Jordan's scale: the update of a tall matrix is as large as that of a square one.
                matrix.add_(update, alpha=-group["lr"] * math.sqrt(max(1.0, rows / columns)))


def orthogonal(matrix: torch.Tensor, iterations: int = 5) -> torch.Tensor:
    """Nearly the orthogonal factor of the polar decomposition of `matrix` [M, N]: singular values
    between 0.7 and 1.2.
    """
    # Jordan's coefficients: five iterations bring singular values near 1, and not to it.
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(iterations):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if matrix.shape[0] > matrix.shape[1] else x


def optimizers(model: torch.nn.Module, schedule: Schedule) -> list[torch.optim.Optimizer]:
    """Muon for the two-dimensional hidden weights, AdamW for the rest."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    return [
        Muon(matrices, lr=schedule.matrix_rate),
        torch.optim.AdamW(others, lr=schedule.other_rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def pretrain(
    model: Any,
    examples: Iterator[Example],
    pad: int,
    schedule: Schedule,
    report: Callable[[str], None],
) -> None:
    """Trains `model` in place; `report` gets a line every hundred steps."""
    torch.manual_seed(schedule.seed)
    rng = random.Random(f"batches-{schedule.seed}")  # noqa: S311 - reproducible order, not a secret
    steppers = optimizers(model, schedule)
    peaks = [group["lr"] for stepper in steppers for group in stepper.param_groups]
    started, seen, mean_loss = time.monotonic(), 0, 0.0
    model.train()
    for step, batch in zip(
        range(schedule.steps), batches(examples, schedule.tokens_per_batch, rng), strict=False
    ):
        ids, labels = collate(batch, pad)
        share = rate_at(step, schedule)
        for group, peak in zip((g for s in steppers for g in s.param_groups), peaks, strict=True):
            group["lr"] = peak * share
        loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for stepper in steppers:
            stepper.step()
            stepper.zero_grad(set_to_none=True)
        seen += ids.numel()
        mean_loss += loss.item() / 100
        if (step + 1) % 100 == 0:
            report(
                f"step {step + 1} loss {mean_loss:.4f} tokens/s "
                f"{seen / (time.monotonic() - started):.0f}"
            )
            mean_loss = 0.0
    model.eval()
