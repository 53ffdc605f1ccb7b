"""The GitLab CI category."""
