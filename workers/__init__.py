"""Processes around the library: supervisor, trainer, inference server."""
