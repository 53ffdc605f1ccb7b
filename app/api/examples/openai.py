"""OpenAI's models and completions."""

from app.api.examples.form import ADAPTER_ID
from app.api.examples.generation import GENERATION
from app.api.examples.verification import FILE

MODELS = {
    "object": "list",
    "data": [
        {
            "id": ADAPTER_ID,
            "object": "model",
            "created": 1764000043,
            "owned_by": "inframind",
        }
    ],
}
HEAD = {"id": "cmpl-6f1c0d6e", "created": 1764000100, "model": ADAPTER_ID}
ANSWERED = {"finish_reason": "stop", "logprobs": None}
COMPLETION = {
    **HEAD,
    "object": "text_completion",
    "choices": [{"index": 0, "text": FILE, **ANSWERED}],
    "usage": GENERATION["usage"],
}
CHAT = {
    **HEAD,
    "object": "chat.completion",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": FILE, "refusal": None},
            **ANSWERED,
        }
    ],
    "usage": GENERATION["usage"],
}
