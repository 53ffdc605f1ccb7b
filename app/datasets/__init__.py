"""Datasets and the files that they were uploaded as."""
