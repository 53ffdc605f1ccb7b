"""`make nano`: rebuilds the bundled model from the training families.

About 45 minutes on two CPU cores.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from inframind.models.nano import WEIGHTS
from tools.nano.corpus import Turn, corpus

VOCABULARY = 3072
HIDDEN, LAYERS, HEADS, KEY_VALUE_HEADS = 256, 3, 8, 4
CONTEXT = 1024
console = Console()


def encode(tokenizer: Any, turns: Iterator[Turn]) -> Iterator[tuple[list[int], list[int]]]:
    """Context ids and answer ids, the closing token included."""
    for asked, text in turns:
        context = tokenizer.apply_chat_template(asked, add_generation_prompt=True, tokenize=False)
        yield tokenizer.encode(context), [*tokenizer.encode(text), tokenizer.eos_token_id]


def fresh_model(tokenizer: Any) -> Any:
    """A randomly initialised Qwen2 model of about three million parameters."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=HIDDEN,
        # A gated MLP of 8/3 of the width has the weights of a plain one of 4 times the width;
        # rounded down to sixteens.
        intermediate_size=HIDDEN * 8 // 3 // 16 * 16,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=KEY_VALUE_HEADS,
        max_position_embeddings=CONTEXT,
        # Untied, about a quarter of the weights would be a second embedding.
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return Qwen2ForCausalLM(config)


def main(
    out: Annotated[Path, typer.Option(help="Folder for the model.")] = WEIGHTS,
    steps: Annotated[int, typer.Option(help="Training steps.")] = 2400,
    seed: Annotated[int, typer.Option(help="Seed of corpus and weights.")] = 0,
) -> None:
    """Trains tokenizer and model from scratch and writes them to OUT."""
    import torch

    from inframind.models.nano.tokenizer import train_tokenizer
    from tools.nano.pretrain import Schedule, pretrain

    torch.manual_seed(seed)
    sample = itertools.islice(corpus(seed), 20_000)
    tokenizer = train_tokenizer(
        (text for asked, answer in sample for text in (*(m["content"] for m in asked), answer)),
        VOCABULARY,
    )
    model = fresh_model(tokenizer)
    size = sum(weight.numel() for weight in model.parameters())
    console.print(f"{size / 1e6:.2f} million parameters, {len(tokenizer)} tokens")
    pretrain(
        model,
        # Another seed than the tokenizer's: what it has seen is not trained on again.
        encode(tokenizer, corpus(seed + 1)),
        tokenizer.pad_token_id,
        Schedule(steps=steps, seed=seed),
        console.print,
    )
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(out, safe_serialization=True)
    tokenizer.save_pretrained(out)


if __name__ == "__main__":
    typer.run(main)
