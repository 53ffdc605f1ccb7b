"""Asks what the next token is, with and without an adapter.

What PEFT says when the adapter is published, any server of the adapter has to say too.
"""

import math
from typing import Any

from inframind.errors import NonFiniteError
from inframind.types import Contract

PROMPTS = (
    "FROM python:3.12-slim\nUSER",
    "Create a ConfigMap demo with MODE set to",
    "services:\n",
    "FROM alpine:3.20\nRUN",
)
"""Texts that every version of a tokenizer splits alike: no runs of spaces, no quotes."""
TOP = 5
Likeliest = tuple[dict[str, float], ...]
"""Of each prompt the likeliest next tokens with their log-probabilities."""


class Probe(Contract):
    """The likeliest tokens with and without an adapter, in the precision that is served."""

    base: Likeliest
    adapter: Likeliest


def probe(model: Any, tokenizer: Any) -> Probe:
    """Asks a PEFT model, and leaves it in the mode in which it was.

    Raises NonFiniteError if it answers with what is no number.
    """
    was_training = model.training
    model.eval()
    adapter = _likeliest(model, tokenizer)
    with model.disable_adapter():
        base = _likeliest(model, tokenizer)
    model.train(was_training)
    # Finite weights do not suffice: large ones overflow in the products.
    if not is_finite(base):
        raise NonFiniteError("the base model's answers hold NaN or infinity in this precision")
    if not is_finite(adapter):
        raise NonFiniteError(
            "the adapter's answers hold NaN or infinity: lower `learning_rate`, and train it again"
        )
    return Probe(base=base, adapter=adapter)


def _likeliest(model: Any, tokenizer: Any) -> Likeliest:
    import torch

    likeliest = []
    for prompt in PROMPTS:
        encoded = tokenizer(prompt, return_tensors="pt", add_special_tokens=False).to(model.device)
        with torch.no_grad():
            logits = model(
                input_ids=encoded["input_ids"], attention_mask=encoded["attention_mask"]
            ).logits[0, -1]
        values, tokens = torch.log_softmax(logits.float(), dim=-1).topk(TOP)
        texts = [tokenizer.decode([token], skip_special_tokens=False) for token in tokens.tolist()]
        logprobs = (round(value, 5) for value in values.tolist())
        likeliest.append(dict(zip(texts, logprobs, strict=True)))
    return tuple(likeliest)


def is_finite(likeliest: Likeliest) -> bool:
    """Tells that every log-probability is a number, and that there is one for each prompt."""
    return all(tops and all(map(math.isfinite, tops.values())) for tops in likeliest)


def largest_difference(first: Likeliest, second: Likeliest) -> float:
    """Finds the largest difference, in nats, over the two likeliest tokens of `first`.

    A token that is not among the likeliest of `second` counts as the last of those.
    """
    worst = 0.0
    for mine, theirs in zip(first, second, strict=True):
        last = min(theirs.values())
        for token in sorted(mine, key=lambda token: -mine[token])[:2]:
            worst = max(worst, abs(mine[token] - theirs.get(token, last)))
    return worst


def fault(expected: Probe, served: Probe, tolerance: float) -> str | None:
    """Says why a server does not serve the adapter that was measured; None if it does."""
    measured = (expected.base, expected.adapter)
    # First: NaN is above no tolerance, so no comparison below would notice it.
    if not all(map(is_finite, (*measured, served.base, served.adapter))):
        whose = "the server's" if all(map(is_finite, measured)) else "the manifest's"
        return f"{whose} log-probabilities are no numbers (NaN or infinity)"
    apart = largest_difference(expected.adapter, served.adapter)
    if apart > tolerance:
        return f"its log-probabilities are up to {apart:.2f} nats from what PEFT says"
    effect = largest_difference(expected.base, expected.adapter)
    if effect > tolerance and largest_difference(served.base, served.adapter) < effect / 2:
        return "it has no effect: the server answers as the base model"
    return None
