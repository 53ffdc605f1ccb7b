"""The FastAPI service. Starts without torch."""
