"""The embedded inference server."""
