"""Layers between a socket and a router: limits, keys, logs, errors, streams."""
