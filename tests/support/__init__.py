"""What tests share: servers, fleets, stand-ins and checks of outcomes."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The checkout."""
