"""`inframind-nano`: the bundled demonstration model, and the code that rebuilds it (`make nano`)."""

from pathlib import Path

WEIGHTS = Path(__file__).parent / "weights"
"""Folder with config, tokenizer and safetensors, loadable by `transformers`."""

CATEGORIES = ("terraform", "kubernetes", "dockerfile", "compose", "github-actions")
"""What it was pretrained on: it knows no other, and its recipes ask it for no other."""
