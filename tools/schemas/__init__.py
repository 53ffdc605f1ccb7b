"""Builds a category's schema data from its upstream: one module a category, `python -m tools.schemas.<category>`."""

from pathlib import Path

CATEGORIES = Path(__file__).parents[2] / "inframind" / "categories"
"""Where the data go: each category's own folder `data`."""
