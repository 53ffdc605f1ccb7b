"""The floor under the categories: the YAML reader, JSON Schema, formats, linters."""
