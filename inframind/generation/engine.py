"""The engine: one base model, LoRA adapters beside it, batches that mix them. transformers generates, PEFT routes.

Evaluation and the embedded inference server use the same engine, so what is scored is what is served.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, StoppingCriteria, StoppingCriteriaList

from inframind.errors import EngineError, ModelNotFoundError
from inframind.models.adapter import verify_adapter
from inframind.models.registry import base_model_path
from inframind.models.tokenizer import load_tokenizer

BASE = "__base__"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """One text to continue. `temperature` 0 is greedy; `model` None is the base model."""

    prompt: str
    model: str | None = None
    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass
class Completion:
    """What was generated: text without the closing token."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    tokens: list[int] = field(default_factory=list)


class Engine:
    """Not thread-safe: one caller at a time."""

    def __init__(self, base_model: str, device: str | None = None) -> None:
        path = base_model_path(base_model)
        self.base_model = base_model
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.tokenizer = load_tokenizer(base_model, padding_side="left")
        dtype = torch.float32 if self.device == "cpu" else torch.bfloat16
        self.model: Any = AutoModelForCausalLM.from_pretrained(path, dtype=dtype, use_safetensors=True).to(self.device).eval()
        self.adapters: dict[str, Path] = {}

    def add_adapter(self, name: str, path: Path) -> None:
        """Loads an adapter under a new name. Raises EngineError for a taken name or unusable files."""
        from peft import PeftModel

        if name in self.adapters:
            raise EngineError(f"the adapter {name!r} is loaded already; names are never used twice")
        verify_adapter(path)
        if self.adapters:
            self.model.load_adapter(str(path), adapter_name=name)
        elif isinstance(self.model, PeftModel):
            self.model.load_adapter(str(path), adapter_name=name)
        else:
            self.model = PeftModel.from_pretrained(self.model, str(path), adapter_name=name)
        self.model.eval()
        self.adapters[name] = path

    def remove_adapter(self, name: str) -> None:
        """Forgets an adapter. Raises ModelNotFoundError."""
        if name not in self.adapters:
            raise ModelNotFoundError(f"no adapter {name!r} is loaded", param="lora_name")
        if len(self.adapters) > 1:
            self.model.delete_adapter(name)
        else:
            self.model = self.model.unload()
        del self.adapters[name]

    def generate(
        self, requests: Sequence[Request], should_stop: Callable[[], bool] | None = None, streamer: Any = None
    ) -> list[Completion]:
        """Continues all requests in one batch; rows that sample alike are sampled together.

        Raises ModelNotFoundError for an adapter that is not loaded.
        """
        for request in requests:
            if request.model not in (None, self.base_model) and request.model not in self.adapters:
                raise ModelNotFoundError(f"no adapter {request.model!r} is loaded", param="model")
        groups: dict[tuple[float, float, int | None], list[int]] = {}
        for index, request in enumerate(requests):
            sampled = (request.temperature, request.top_p, request.seed) if request.temperature > 0 else (0.0, 1.0, None)
            groups.setdefault(sampled, []).append(index)
        found: dict[int, Completion] = {}
        for (temperature, top_p, seed), indices in groups.items():
            rows = [requests[index] for index in indices]
            completions = self._batch(rows, temperature, top_p, seed, should_stop, streamer)
            found.update(zip(indices, completions, strict=True))
        return [found[index] for index in range(len(requests))]

    @torch.inference_mode()
    def _batch(
        self,
        rows: Sequence[Request],
        temperature: float,
        top_p: float,
        seed: int | None,
        should_stop: Callable[[], bool] | None,
        streamer: Any,
    ) -> list[Completion]:
        encoded = self.tokenizer([row.prompt for row in rows], return_tensors="pt", padding=True, add_special_tokens=False)
        encoded = encoded.to(self.device)
        if seed is not None:
            torch.manual_seed(seed)
        sampling = (
            {"do_sample": True, "temperature": temperature, "top_p": top_p, "top_k": 0} if temperature > 0 else {"do_sample": False}
        )
        stops = sorted({stop for row in rows for stop in row.stop})
        routed = {"adapter_names": [self._route(row) for row in rows]} if self.adapters else {}
        criteria = StoppingCriteriaList([_Stopper(should_stop)]) if should_stop else None
        output = self.model.generate(
            input_ids=encoded["input_ids"],
            attention_mask=encoded["attention_mask"],
            max_new_tokens=max(row.max_tokens for row in rows),
            eos_token_id=self.tokenizer.eos_token_id,
            pad_token_id=self.tokenizer.pad_token_id,
            stop_strings=stops or None,
            tokenizer=self.tokenizer if stops else None,
            stopping_criteria=criteria,
            streamer=streamer,
            **sampling,
            **routed,
        )
        width = encoded["input_ids"].shape[1]
        lengths = encoded["attention_mask"].sum(dim=1).tolist()
        return [self._completion(row, output[i, width:].tolist(), lengths[i]) for i, row in enumerate(rows)]

    def _route(self, row: Request) -> str:
        return BASE if row.model in (None, self.base_model) else str(row.model)

    def _completion(self, row: Request, tokens: list[int], prompt_tokens: int) -> Completion:
        end = self.tokenizer.eos_token_id
        closed = end in tokens[: row.max_tokens]
        tokens = tokens[: tokens.index(end)] if closed else tokens[: row.max_tokens]
        text = self.tokenizer.decode(tokens, skip_special_tokens=False)
        cut = min((text.index(stop) for stop in row.stop if stop in text), default=None)
        reason = "stop" if closed or cut is not None else "length"
        return Completion(text[:cut], reason, prompt_tokens, len(tokens) + closed, tokens)


class _Stopper(StoppingCriteria):
    """Ends a batch between two tokens when the caller has gone."""

    def __init__(self, should_stop: Callable[[], bool]) -> None:
        self._should_stop = should_stop

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        return torch.full((input_ids.shape[0],), self._should_stop(), device=input_ids.device, dtype=torch.bool)
