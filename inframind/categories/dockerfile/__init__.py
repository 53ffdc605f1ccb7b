"""The Dockerfile category."""
