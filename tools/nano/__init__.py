"""Builds the bundled model."""
