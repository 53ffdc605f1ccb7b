"""What several kinds of tests need."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from inframind.verifier.verifier import Verifier
from tests.support.skips import SKIPS, ListedSkips, read_skips

MakeAdapter = Callable[..., Path]


@pytest.fixture(scope="session")
def make_adapter() -> MakeAdapter:
    """`make_adapter(folder, name, seed, base_model, **manifest)`: a published adapter, random but
    enough to change answers."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from inframind.models.adapter import AdapterManifest, publish
    from inframind.models.probe import probe
    from inframind.models.registry import base_model_path
    from inframind.models.tokenizer import load_tokenizer

    def make(
        folder: Path, name: str, seed: int, base_model: str = "inframind-nano", **fields: Any
    ) -> Path:
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_pretrained(base_model_path("inframind-nano"))
        targets = ["q_proj", "v_proj", "down_proj"]
        lora = LoraConfig(
            r=8,
            lora_alpha=96,
            target_modules=targets,
            task_type="CAUSAL_LM",
            init_lora_weights=False,
        )
        raw = folder / f"{name}.raw"
        adapted = get_peft_model(model, lora)
        adapted.save_pretrained(str(raw), safe_serialization=True)
        known: dict[str, Any] = {
            "id": name,
            "job_id": "j",
            "base_model": base_model,
            "stage": "sft",
            "stage_index": 0,
            "parent": None,
            "quantization": "none",
            "lora": {"r": 8},
            "config": {},
            "dataset": "",
            "bench_hash": "",
            "seed": seed,
            "metrics": {},
            "train_seconds": 0.0,
            "versions": {},
            "probe": probe(adapted, load_tokenizer("inframind-nano")),
        }
        manifest = AdapterManifest(**{**known, **fields})
        publish(raw, folder / name, manifest)
        return folder / name

    return make


SERVERS = ("vllm", "running")
"""Fixtures of a whole session that take long to start: the tests that ask for one stay together."""


@pytest.fixture(scope="module")
def verifier() -> Iterator[Verifier]:
    """A verifier with its worker processes."""
    with Verifier(workers=2) as made:
        yield made


def pytest_configure(config: pytest.Config) -> None:
    """Hold the run to the list of skips."""
    config.pluginmanager.register(ListedSkips(read_skips(SKIPS)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests on one worker of several (`-n 2 --dist loadgroup`).

    A file's fixtures are its own; those of a slow server are shared by the files that ask it.
    """
    for item in items:
        asked = {*getattr(item, "fixturenames", ())}
        parameters = list(getattr(getattr(item, "callspec", None), "params", {}).values())
        server = next((name for name in SERVERS if name in asked or name in parameters), None)
        item.add_marker(pytest.mark.xdist_group(server or item.nodeid.partition("::")[0]))
