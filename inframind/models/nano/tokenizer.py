"""Trains the tokenizer of `inframind-nano`: byte-level BPE over its own corpus.

Special tokens and chat form are Qwen's.
"""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

PAD, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
THINK = ("<think>", "</think>")

# The form of Qwen2.5's template, with the role loop alone: no tools, and no default system prompt
# to hide.
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> "PreTrainedTokenizerFast":
    """Trains a BPE of `vocabulary` tokens.

    Digits stay single, so that a number is copied digit by digit and never recalled.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    # A word never carries a space: YAML's indentation, and punctuation with the space around it,
    # are tokens of their own. So a name has one spelling wherever it stands, and copying it is
    # repeating its tokens.
    split = pre_tokenizers.Split(
        Regex(r"\n *(?:- )?| *[^\sA-Za-z0-9]+ ?|[0-9]|[A-Za-z]+| +|\s"), "isolated"
    )
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    bpe.decoder = decoders.ByteLevel()
    bpe.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=[PAD, START, END, *THINK],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            min_frequency=8,
            show_progress=False,
        ),
    )
    bpe = _plain_think(bpe)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        pad_token=PAD,
        eos_token=END,
        model_max_length=2048,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def _plain_think(bpe: "Tokenizer") -> "Tokenizer":
    """Keeps `<think>` in decoded text, as in Qwen3.

    Servers leave special tokens out of what they send.
    """
    from tokenizers import Tokenizer

    data = json.loads(bpe.to_str())
    for token in data["added_tokens"]:
        token["special"] = token["content"] not in THINK
    plain: Tokenizer = Tokenizer.from_str(json.dumps(data))
    return plain
