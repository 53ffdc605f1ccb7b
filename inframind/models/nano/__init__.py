"""`inframind-nano`: the bundled demonstration model, and the code that rebuilds it (`make nano`)."""

from pathlib import Path

WEIGHTS = Path(__file__).parent / "weights"
"""Folder with config, tokenizer and safetensors, loadable by `transformers`."""
