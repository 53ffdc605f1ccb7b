"""Dynamic sampling with refill on TRL's GRPOTrainer (arXiv:2503.14476, section 3.2).

TRL generates, scores and computes advantages; this only chooses which groups are trained on. It
calls TRL's own method on further prompts and merges the batches.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

import torch
from trl import GRPOTrainer

LEFT_PADDED = frozenset({"prompt_ids", "prompt_mask"})
Batch = dict[str, Any]


def informative(rewards: torch.Tensor, num_generations: int) -> torch.Tensor:
    """Marks the groups whose rewards differ: [P * G] rewards to [P] bool.

    Unscorable answers (NaN) do not count. Equality is exact: a deviation computed in floating point
    is noise above zero for equal rewards.
    """
    groups = rewards.view(-1, num_generations)
    high = torch.nan_to_num(groups, nan=-torch.inf).amax(dim=1)
    low = torch.nan_to_num(groups, nan=torch.inf).amin(dim=1)
    return high > low


def padded(tensor: torch.Tensor, width: int, value: int, *, left: bool) -> torch.Tensor:
    """Pads rows [N, T] with `value` to [N, width]."""
    missing = width - tensor.shape[1]
    return torch.nn.functional.pad(tensor, (missing, 0) if left else (0, missing), value=value)


def merge(batches: Sequence[Batch], pad_token: int) -> Batch:
    """Makes one batch of several: rows below one another, padded to a common width."""
    merged: Batch = {}
    for key in batches[0]:
        parts = [batch[key] for batch in batches]
        if key == "num_items_in_batch":
            continue
        if parts[0].dim() == 2:
            width = max(part.shape[1] for part in parts)
            value = pad_token if key in ("prompt_ids", "completion_ids") else 0
            parts = [padded(part, width, value, left=key in LEFT_PADDED) for part in parts]
        merged[key] = torch.cat(parts)
    return merged


def rows_of(batch: Batch, keep: torch.Tensor) -> Batch:
    """Selects the rows of a batch that `keep`, [N] bool, marks."""
    return {key: value[keep] for key, value in batch.items() if key != "num_items_in_batch"}


class DynamicSamplingTrainer(GRPOTrainer):  # type: ignore[misc]  # trl has no types
    """Replaces groups without variance by groups of further prompts, in TRL's GRPOTrainer."""

    def __init__(
        self,
        *args: Any,
        refill_rounds: int,
        on_cap: Callable[[str, dict[str, Any]], None],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._refill_rounds = refill_rounds
        self._on_cap = on_cap
        self._rewards = torch.empty(0)

    def _calculate_rewards(self, *args: Any) -> torch.Tensor:
        rewards: torch.Tensor = super()._calculate_rewards(*args)
        # TRL leaves a row out only if no function could score it, and takes a missing part for 0:
        # the punishment for length, which never fails, would make an unscorable answer a zero.
        rewards[rewards.isnan().any(dim=1)] = torch.nan
        self._rewards = rewards.sum(dim=1).cpu()
        return rewards

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> Batch:
        batch: Batch = super()._generate_and_score_completions(inputs)
        if not self.model.training or not self._refill_rounds:
            return batch
        wanted = len(inputs) // self.num_generations
        kept, spare = self._split(batch)
        generated, rounds = wanted, 0
        while self._count(kept) < wanted and rounds < self._refill_rounds:
            rounds += 1
            missing = wanted - self._count(kept)
            more = super()._generate_and_score_completions(self._further(missing, rounds))
            generated += missing
            fresh, constant = self._split(more)
            kept, spare = [*kept, *fresh], [*spare, *constant]
        self._log_sampling(generated, self._count(kept), wanted)
        return self._assemble(kept, spare, wanted, rounds)

    def _split(self, batch: Batch) -> tuple[list[Batch], list[Batch]]:
        """Parts a batch into the groups that teach something, and those that do not."""
        # By the rewards, not the advantages: those of equal rewards are noise, not zero.
        differs = informative(self._rewards, self.num_generations).repeat_interleave(
            self.num_generations
        )
        differs = differs.to(batch["advantages"].device)
        parts = (rows_of(batch, differs), rows_of(batch, ~differs))
        first, second = ([part] if len(part["advantages"]) else [] for part in parts)
        return first, second

    def _count(self, kept: list[Batch]) -> int:
        rows = sum(len(part["advantages"]) for part in kept)
        return rows // int(self.num_generations)

    def _further(self, groups: int, rounds: int) -> list[dict[str, Any]]:
        """Draws further prompts, each `num_generations` times.

        The draw depends on seed, step and round alone, so that a resumed run draws the same.
        """
        seed = f"{self.args.seed}-{self.state.global_step}-{rounds}"
        rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
        chosen = rng.sample(range(len(self.train_dataset)), min(groups, len(self.train_dataset)))
        return [self.train_dataset[index] for index in chosen for _ in range(self.num_generations)]

    def _assemble(self, kept: list[Batch], spare: list[Batch], wanted: int, rounds: int) -> Batch:
        """Makes the batch to train on.

        Where a step is cut into parts its size is kept with groups that teach nothing.
        """
        count = self._count(kept)
        if count < wanted:
            message = (
                f"{count} of {wanted} groups have variance after {rounds} refill rounds: "
                "the step trains on those"
            )
            self._on_cap(
                message, {"groups": count, "wanted": wanted, "step": self.state.global_step}
            )
        # TRL cuts a generation into that many parts of equal size.
        fixed_size = self.args.steps_per_generation > 1
        parts = [*kept, *spare] if fixed_size or not kept else kept
        batch = merge(parts, self._tokenizer.pad_token_id)
        batch = rows_of(
            batch, torch.arange(len(batch["advantages"])) < wanted * self.num_generations
        )
        # TRL's token-level loss divides by it, and the merged batch has another number of tokens.
        items = batch["completion_mask"].sum()
        batch["num_items_in_batch"] = self.accelerator.gather(items).sum()
        return batch

    def _log_sampling(self, generated: int, kept: int, wanted: int) -> None:
        self._metrics["train"]["sampling/generated_groups"].append(float(generated))
        self._metrics["train"]["sampling/kept_share"].append(min(kept, wanted) / wanted)
