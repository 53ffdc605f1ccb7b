"""The Kubernetes category."""
