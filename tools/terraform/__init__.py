"""Builds the providers' schemas and constraints."""
