"""DAPO's parts against the paper's formulas (arXiv:2503.14476)."""

import pytest
import torch
from pydantic import ValidationError

from inframind.stages import dapo
from inframind.stages._dynamic_sampling import informative, merge
from inframind.stages._reward import overlong_reward

NAN = float("nan")


@pytest.mark.parametrize(
    ("length", "expected"), [(10, 0.0), (192, 0.0), (224, -0.5), (256, -1.0), (300, -1.0)]
)
def test_overlong_is_punished_in_tokens_as_in_equation_13(length: int, expected: float) -> None:
    reward = overlong_reward(max_tokens=256, buffer_tokens=64, penalty=1.0)
    assert reward(completion_ids=[[0] * length]) == [pytest.approx(expected)]


def test_groups_are_told_apart_by_exact_equality() -> None:
    # A mean of equal floats differs from them by rounding: a deviation would see variance here.
    equal = [0.1 + 0.2] * 4
    nearly = [0.3, 0.3, 0.3, 0.1 + 0.2]
    assert informative(torch.tensor(equal + nearly, dtype=torch.float64), 4).tolist() == [
        False,
        True,
    ]


def test_unscorable_answers_make_no_variance() -> None:
    rewards = torch.tensor([1.0, NAN, 1.0, NAN, NAN, NAN, NAN, NAN, 0.0, 1.0, NAN, 0.0])
    assert informative(rewards, 4).tolist() == [False, False, True]


def test_merged_batches_keep_their_rows_and_padding_sides() -> None:
    def batch(prompt: int, completion: int, fill: int) -> dict[str, torch.Tensor]:
        return {
            "prompt_ids": torch.full((2, prompt), fill),
            "prompt_mask": torch.ones(2, prompt),
            "completion_ids": torch.full((2, completion), fill),
            "completion_mask": torch.ones(2, completion),
            "advantages": torch.full((2,), float(fill)),
            "num_items_in_batch": torch.tensor(2 * completion),
        }

    merged = merge([batch(3, 5, 7), batch(4, 2, 8)], pad_token=0)
    assert merged["prompt_ids"].tolist() == [[0, 7, 7, 7]] * 2 + [[8, 8, 8, 8]] * 2
    assert merged["completion_ids"].tolist() == [[7, 7, 7, 7, 7]] * 2 + [[8, 8, 0, 0, 0]] * 2
    assert merged["completion_mask"].sum(dim=1).tolist() == [5, 5, 2, 2]
    assert merged["advantages"].tolist() == [7, 7, 8, 8]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("overlong_buffer", {"max_tokens": 64, "overlong_buffer": 64}),
        ("epsilon_high", {"epsilon_low": 0.3, "epsilon_high": 0.2}),
        ("micro_batch", {"prompts_per_step": 4, "num_generations": 8, "micro_batch": 12}),
    ],
)
def test_impossible_settings_are_refused(field: str, values: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=field):
        dapo.Config.model_validate(values)


def test_the_defaults_are_the_papers() -> None:
    config = dapo.Config()
    assert (config.epsilon_low, config.epsilon_high) == (0.2, 0.28)
