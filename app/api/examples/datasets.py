"""Examples of datasets for the OpenAPI document."""

from app.api.examples.form import CREATED_AT

DATASET = {
    "id": "ds-6f1c0d6e6f1b4a0f8f4f0c3c5e0c7a11",
    "object": "dataset",
    "name": "our modules",
    "rendering": "fenced",
    "tasks": {"test-values": 12, "train": 108},
    "categories": {"kubernetes": 80, "terraform": 40},
    "duplicates": 3,
    "conflicts": 0,
    "untrained": 0,
    "ignored": {"id": 123},
    "derived": 100,
    "unchecked": 2,
    "created_at": CREATED_AT,
}
ROW = {
    "id": "own/6f1c0d6e6f1b4a0f8f4f0c3c",
    "object": "dataset.row",
    "split": "train",
    "category": "dockerfile",
    "messages": [
        {"role": "user", "content": "From debian:12, work in /srv.", "is_trained": False},
        {"role": "assistant", "content": "FROM debian:12\nWORKDIR /srv\n", "is_trained": True},
    ],
    "text": "<|im_start|>user\nFrom debian:12, work in /srv.<|im_end|>\n<|im_start|>assistant\n"
    "FROM debian:12\nWORKDIR /srv\n<|im_end|>\n",
    "tokens": 38,
    "trained_tokens": 17,
    "checks": 3,
}
