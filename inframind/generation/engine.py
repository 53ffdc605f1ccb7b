"""Generates with one base model and LoRA adapters beside it, in batches that mix them.

transformers generates and PEFT routes. Evaluation and the embedded inference server use the same
engine, so what is scored is what is served.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    GenerationConfig,
    LogitsProcessorList,
    StoppingCriteriaList,
)

from inframind.errors import EngineError, ModelNotFoundError, NonFiniteError
from inframind.generation.request import Completion, Request
from inframind.generation.sampling import FailedRows, LogprobRecorder, Sampler, Shown, Stopper
from inframind.models.adapter import verify_adapter
from inframind.models.memory import keep_freed_memory
from inframind.models.registry import base_model_path
from inframind.models.tokenizer import closing_tokens, load_tokenizer

__all__ = ["Completion", "Engine", "Request"]

BASE = "__base__"
"""PEFT's name for no adapter."""


class Engine:
    """Holds a base model and its adapters. Not thread-safe: one caller at a time."""

    def __init__(self, base_model: str, device: str | None = None) -> None:
        path = base_model_path(base_model)
        self.base_model = base_model
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        if self.device == "cpu":
            keep_freed_memory()
        self.tokenizer = load_tokenizer(base_model, padding_side="left")
        dtype = torch.float32 if self.device == "cpu" else torch.bfloat16
        self.model: Any = (
            AutoModelForCausalLM.from_pretrained(path, dtype=dtype, use_safetensors=True)
            .to(self.device)
            .eval()
        )
        self.closing_tokens = closing_tokens(self.model, self.tokenizer)
        # A model's own settings, such as a repetition penalty, would make it another policy than
        # the one that was trained.
        self.model.generation_config = GenerationConfig(
            eos_token_id=sorted(self.closing_tokens), pad_token_id=self.tokenizer.pad_token_id
        )
        self.adapters: dict[str, Path] = {}

    def add_adapter(self, name: str, path: Path) -> None:
        """Loads an adapter under a new name.

        Raises EngineError for a taken name or unusable files, NonFiniteError.
        """
        from peft import PeftModel

        if name in self.adapters:
            raise EngineError(f"the adapter {name!r} is loaded already; names are never used twice")
        verify_adapter(path)
        if self.adapters or isinstance(self.model, PeftModel):
            self.model.load_adapter(str(path), adapter_name=_slot(name))
        else:
            self.model = PeftModel.from_pretrained(self.model, str(path), adapter_name=_slot(name))
        self.model.eval()
        self.adapters[name] = path

    def remove_adapter(self, name: str) -> None:
        """Forgets an adapter. Raises ModelNotFoundError."""
        if name not in self.adapters:
            raise ModelNotFoundError(f"no adapter {name!r} is loaded", param="lora_name")
        if len(self.adapters) > 1:
            # PEFT warns of an active adapter that goes.
            self.model.set_adapter(
                _slot(next(other for other in self.adapters if other != name)), inference_mode=True
            )
            self.model.delete_adapter(_slot(name))
        else:
            self.model = self.model.unload()
        del self.adapters[name]

    def has(self, model: str | None) -> bool:
        """Tells whether a row may name this model."""
        return model in (None, self.base_model) or model in self.adapters

    def generate(
        self,
        requests: Sequence[Request],
        should_stop: Callable[[], bool] | None = None,
        streamer: Any = None,
    ) -> list[Completion]:
        """Continues all requests in one batch, all or none: raises what made a row fail.

        The rest is as `generate_each` has it.
        """
        answers = self.generate_each(requests, should_stop, streamer)
        completions = [answer for answer in answers if isinstance(answer, Completion)]
        if len(completions) < len(answers):
            raise next(answer for answer in answers if not isinstance(answer, Completion))
        return completions

    @torch.inference_mode()
    def generate_each(
        self,
        requests: Sequence[Request],
        should_stop: Callable[[], bool] | None = None,
        streamer: Any = None,
    ) -> list[Completion | NonFiniteError]:
        """Continues all requests in one batch, whatever becomes of single ones.

        Adapters, sampling and limits may differ from row to row. A row whose model gives scores
        that are no numbers has a NonFiniteError. `should_stop` is asked between two tokens.
        `streamer.put` gets the prompts, then the tokens [B] of each step, FAILED_TOKEN for a row
        that has failed. Raises ModelNotFoundError for an adapter that is not loaded.
        """
        for request in requests:
            if not self.has(request.model):
                raise ModelNotFoundError(f"no adapter {request.model!r} is loaded", param="model")
        prompts = self._encoded(requests)
        width = max(len(tokens) for tokens in prompts)
        # On the left: the next token comes after the last column, for every row the same.
        blanks = [width - len(tokens) for tokens in prompts]
        padded = [
            [self.tokenizer.pad_token_id] * blank + tokens
            for blank, tokens in zip(blanks, prompts, strict=True)
        ]
        mask = [
            [0] * blank + [1] * len(tokens) for blank, tokens in zip(blanks, prompts, strict=True)
        ]
        stopper = Stopper(requests, width, self.tokenizer, should_stop)
        recorder = LogprobRecorder(requests)
        failed_rows = FailedRows(len(requests), self.tokenizer.eos_token_id, self.device)
        sampler = Sampler(requests, self.device)
        with self._routed(requests) as routed:
            output = self.model.generate(
                input_ids=torch.tensor(padded, device=self.device),
                attention_mask=torch.tensor(mask, device=self.device),
                max_new_tokens=max(row.max_tokens for row in requests),
                # `sampler` has drawn already: it leaves one token with a score above nothing.
                do_sample=False,
                logits_processor=LogitsProcessorList([failed_rows, recorder, sampler]),
                stopping_criteria=StoppingCriteriaList([stopper]),
                streamer=Shown(streamer, failed_rows) if streamer is not None else None,
                **routed,
            )
        new_tokens = output[:, width:].tolist()
        recorder.close(output)
        completions = [
            self._completion(row, tokens[:length], len(prompt))
            for row, tokens, length, prompt in zip(
                requests, new_tokens, stopper.lengths, prompts, strict=True
            )
        ]
        for index, completion in enumerate(completions):
            noted = recorder.of(index)
            completion.logprobs = (
                noted[: completion.completion_tokens] if noted is not None else None
            )
        return [
            _no_numbers(row.model or self.base_model) if failed else completion
            for row, completion, failed in zip(
                requests, completions, failed_rows.failed.tolist(), strict=True
            )
        ]

    def _encoded(self, rows: Sequence[Request]) -> list[list[int]]:
        """Encodes the prompts that are texts."""
        texts = [row.prompt for row in rows if isinstance(row.prompt, str)]
        encoded = iter(
            self.tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else ()
        )
        return [next(encoded) if isinstance(row.prompt, str) else list(row.prompt) for row in rows]

    @contextmanager
    def _routed(self, rows: Sequence[Request]) -> Iterator[dict[str, Any]]:
        """Sends each row through its adapter.

        A batch of one adapter needs no routing, which would cost time at every layer.
        """
        names = [
            BASE if row.model in (None, self.base_model) else _slot(str(row.model)) for row in rows
        ]
        if not self.adapters:
            yield {}
        elif len(set(names)) > 1:
            yield {"adapter_names": names}
        elif names[0] == BASE:
            with self.model.disable_adapter():
                yield {}
        else:
            self.model.set_adapter(names[0], inference_mode=True)
            yield {}

    def _completion(self, row: Request, tokens: list[int], prompt_tokens: int) -> Completion:
        closing = next(
            (index for index, token in enumerate(tokens) if token in self.closing_tokens), None
        )
        count = len(tokens) if closing is None else closing + 1
        tokens = tokens[:closing]
        text = self.tokenizer.decode(tokens, skip_special_tokens=False)
        cut = min((text.index(stop) for stop in row.stop if stop in text), default=None)
        reason = "length" if closing is None and cut is None else "stop"
        return Completion(text[:cut], reason, prompt_tokens, count, tokens)


def _no_numbers(model: str) -> NonFiniteError:
    return NonFiniteError(
        f"the scores of {model} are no numbers (NaN or infinity): its weights are broken or too"
        " large; ask another model, or train it again with a lower `learning_rate`",
        param="model",
    )


def _slot(name: str) -> str:
    """Names an adapter for PEFT: modules' names have no dots, ours no colons."""
    return name.replace(".", ":")
