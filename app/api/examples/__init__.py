"""Whole examples of the OpenAPI document, a file for each resource.

A test holds each against its model.
"""

from app.api.examples import (
    datasets,
    files,
    fine_tuning,
    generation,
    jobs,
    models,
    openai,
    verification,
)
from app.api.examples.form import ADAPTER_ID, CREATED_AT, JOB_ID, error, event_stream, page, shown

__all__ = [
    "ADAPTER_ID",
    "CREATED_AT",
    "JOB_ID",
    "datasets",
    "error",
    "event_stream",
    "files",
    "fine_tuning",
    "generation",
    "jobs",
    "models",
    "openai",
    "page",
    "shown",
    "verification",
]
