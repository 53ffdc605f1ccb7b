"""The Helm category: charts and their parts, rendered with their default values."""
