"""Examples of generations for the OpenAPI document."""

from app.api.examples.form import ADAPTER_ID, CREATED_AT
from app.api.examples.verification import FILE, VERDICT

GENERATION = {
    "id": "gen-6f1c0d6e6f1b4a0f8f4f0c3c5e0c7a11",
    "object": "generation",
    "model": ADAPTER_ID,
    "choices": [
        {
            "index": 0,
            "text": f"<think>\nConfigMap demo\n</think>\n```yaml\n{FILE}```",
            "file": FILE,
            "finish_reason": "stop",
            "verdict": VERDICT,
        }
    ],
    "search": None,
    "attempts": 1,
    "usage": {"prompt_tokens": 31, "completion_tokens": 40, "total_tokens": 71},
    "created_at": CREATED_AT + 100.0,
}
