"""The Compose category."""
