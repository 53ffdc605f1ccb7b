"""Base models, adapters and the bundled nano model."""
