"""Examples of datasets for the OpenAPI document."""

from app.api.examples.form import CREATED_AT

DATASET = {
    "id": "ds-6f1c0d6e6f1b4a0f8f4f0c3c5e0c7a11",
    "object": "dataset",
    "name": "our modules",
    "tasks": {"test-values": 12, "train": 108},
    "categories": {"kubernetes": 80, "terraform": 40},
    "duplicates": 3,
    "derived": 100,
    "unchecked": 2,
    "created_at": CREATED_AT,
}
