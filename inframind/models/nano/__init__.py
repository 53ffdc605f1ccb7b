"""`inframind-nano`, the bundled demonstration model. `make nano` rebuilds it (tools/nano)."""

from pathlib import Path

WEIGHTS = Path(__file__).parent / "weights"
"""Folder with config, tokenizer and safetensors, loadable by `transformers`."""

MAX_DIFFICULTY = 2
"""It is pretrained on every category's families up to here."""
