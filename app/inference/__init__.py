"""The client of the inference server, and the adapters that it loads."""
