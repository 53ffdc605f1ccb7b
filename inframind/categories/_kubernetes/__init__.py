"""Kubernetes objects, for every category whose text holds them: schema, fields, references, policy."""
