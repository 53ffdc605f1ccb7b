"""Small files of weights: whole ones, and ones that hold NaN as an overflow leaves it."""

import json
import math
import struct
from pathlib import Path

from inframind.models.adapter import MANIFEST, WEIGHTS, AdapterManifest, read_manifest, sha256_of


def write_weights(path: Path, note: str = "", values: bytes = b"\0" * 8) -> None:
    """Writes a safetensors file with one tensor of float32; `note` makes one differ from others."""
    tensor = {"dtype": "F32", "shape": [len(values) // 4], "data_offsets": [0, len(values)]}
    header = json.dumps({"__metadata__": {"note": note}, "layer.lora_B.weight": tensor}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + values)


def write_checkpoint(folder: Path, note: str = "") -> None:
    """Writes the files of a checkpoint before its commit, those alone real that are looked into."""
    import torch

    from inframind.stages._checkpoints import CHECKPOINT_FILES, OPTIMIZER

    folder.mkdir(parents=True, exist_ok=True)
    for name in CHECKPOINT_FILES:
        (folder / name).write_text(f"{name} {note}")
    write_weights(folder / WEIGHTS, note)
    moments = {"exp_avg": torch.zeros(2), "exp_avg_sq": torch.zeros(2)}
    torch.save({"state": {0: moments}, "param_groups": []}, folder / OPTIMIZER)


def fill(path: Path, value: float, *, last_only: bool = False) -> None:
    """Gives all the float32 of a safetensors file, or the last one, another value."""
    data = path.read_bytes()
    start = len(data) - 4 if last_only else 8 + int.from_bytes(data[:8], "little")
    path.write_bytes(data[:start] + struct.pack("<f", value) * ((len(data) - start) // 4))


def poison(adapter: Path, value: float = math.nan) -> AdapterManifest:
    """Gives a published adapter's weights another value, and a manifest to which it is right."""
    fill(adapter / WEIGHTS, value)
    manifest = read_manifest(adapter)
    digest = sha256_of(adapter / WEIGHTS)
    files = tuple(
        file.model_copy(update={"sha256": digest}) if file.name == WEIGHTS else file
        for file in manifest.files
    )
    poisoned = manifest.model_copy(update={"files": files})
    (adapter / MANIFEST).write_text(json.dumps(poisoned.model_dump(mode="json")))
    return poisoned
