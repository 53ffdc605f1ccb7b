"""What several categories stand on: the YAML reader, JSON Schema, formats, linters."""
