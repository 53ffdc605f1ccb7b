"""Builds the bundled model: `make nano`, or `python -m tools.nano.build`."""
