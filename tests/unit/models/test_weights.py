"""NaN and infinity are found in a file of weights of any type, without torch."""

import json
import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from inframind.errors import EngineError, NonFiniteError
from inframind.models.weights import check_finite, non_finite_tensors
from tests.support.weights import write_weights

TYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)


@given(st.lists(st.floats(width=32), max_size=20), st.sampled_from(TYPES))
def test_it_says_what_torch_says(
    tmp_path_factory: pytest.TempPathFactory, values: list[float], kind: torch.dtype
) -> None:
    tensor = torch.tensor(values, dtype=torch.float64).to(kind)
    path = tmp_path_factory.mktemp("weights") / "a.safetensors"
    save_file({"first": torch.zeros(3), "second": tensor}, path)
    assert non_finite_tensors(path) == ([] if tensor.isfinite().all() else ["second"])


@pytest.mark.parametrize("kind", TYPES)
def test_the_largest_number_of_a_type_is_finite_and_what_follows_is_not(
    kind: torch.dtype, tmp_path: Path
) -> None:
    largest = torch.tensor([torch.finfo(kind).max, torch.finfo(kind).min], dtype=kind)
    for name, tensor in (("fine", largest), ("over", largest * 2), ("nan", largest * math.nan)):
        save_file({name: tensor}, tmp_path / "a.safetensors")
        expected = [] if name == "fine" else [name]
        assert non_finite_tensors(tmp_path / "a.safetensors") == expected


def test_the_refusal_says_whose_weights_and_what_to_do(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1), "b": torch.tensor([math.inf])}, tmp_path / "a.safetensors")
    with pytest.raises(NonFiniteError, match=r"1 of the weights of im-x .* b .*learning_rate"):
        check_finite(tmp_path / "a.safetensors", "im-x")


def header(**tensor: object) -> bytes:
    text = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **tensor}})
    return len(text).to_bytes(8, "little") + text.encode() + b"\0" * 8


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff" * 8,
        (4).to_bytes(8, "little") + b"null",
        (2).to_bytes(8, "little") + b"[]",
        (60_000).to_bytes(8, "little") + b"[" * 60_000,
        header(data_offsets=[0, 12]),
        header(data_offsets=[-4, 8]),
        header(data_offsets=[0, 6]),
        header(data_offsets=["0", 8]),
        header(data_offsets=[8]),
        header(dtype="I8"),
        header(dtype=None),
        header(dtype=[]),
    ],
)
def test_what_is_no_whole_file_of_floats_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(data)
    with pytest.raises(EngineError, match=r"a\.safetensors"):
        non_finite_tensors(path)


def test_the_files_that_tests_write_are_whole(tmp_path: Path) -> None:
    write_weights(tmp_path / "a.safetensors", "note")
    assert non_finite_tensors(tmp_path / "a.safetensors") == []
    with pytest.raises(EngineError, match="none"):
        non_finite_tensors(tmp_path / "none")
