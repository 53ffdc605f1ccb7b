"""Models: base models, adapters and the aliases that name them (docs/contracts/models.md)."""
