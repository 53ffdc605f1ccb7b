"""The GitHub Actions category."""
