"""Body of `POST /generate`, and the inference server's request for it."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, PrivateAttr

from app.errors import InvalidError
from app.fields import ModelName
from inframind.bench.prompt import as_trained
from inframind.bench.prompt import messages as task_messages
from inframind.categories import category
from inframind.generation.template import render
from inframind.types import AnswerFormat, Check, Contract, Rendering, answer_format
from inframind.verifier.checks import validate_checks

MAX_PROMPT = 100_000


# Unlike OpenAI's route, which takes a client's newer names, this one takes templates' roles alone.
class Message(Contract):
    """Message of a conversation."""

    model_config = ConfigDict(strict=True)

    role: Literal["system", "user", "assistant"]
    content: str = Field(max_length=MAX_PROMPT)


class GenerateRequest(Contract):
    """Exactly one of `prompt`, `instruction` and `messages`."""

    model_config = ConfigDict(strict=True)

    model: ModelName | None = None
    """A base model or an adapter of GET /models; null: the base model that is served."""
    prompt: str | None = Field(default=None, min_length=1, max_length=MAX_PROMPT)
    """Text to continue as it is; no chat template is applied."""
    instruction: str | None = Field(default=None, min_length=1, max_length=MAX_PROMPT)
    """What to write, in the form that training uses."""
    input: str = Field(default="", max_length=MAX_PROMPT)
    """What the instruction is about, such as a file to change."""
    messages: list[Message] | None = Field(default=None, min_length=1, max_length=64)
    n: int = Field(default=1, ge=1, le=16)
    """Answers. Give a temperature: greedy answers are all the same."""
    temperature: float = Field(default=0.0, ge=0.0, le=2.0)
    """0 is greedy."""
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    max_tokens: int = Field(default=512, ge=1, le=2048)
    # One bit less than engines take: verified generation counts up from it.
    seed: int | None = Field(default=None, ge=0, le=2**31 - 1)
    stop: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(default=[], max_length=4)
    stream: bool = False
    """Server-sent events: `{"index", "text"}` pieces, then the whole answer as `event: done`."""
    verify: bool = False
    """Give each answer the verdict that training would have given it. `checks` ask for it too."""
    best_of: int = Field(default=1, ge=1, le=64)
    """Verified generation: up to so many answers are sampled until `n` pass; the best come
    first."""
    repair: int = Field(default=0, ge=0, le=4)
    """Verified generation: up to so many rounds in which the model gets the findings of its best
    answer and writes it again."""
    category: str | None = Field(default=None, max_length=64)
    """What the answer is; null: detected."""
    checks: list[Check] = Field(default=[], max_length=64)

    _rendering: Rendering | None = PrivateAttr(default=None)

    def asked_of(self, model: str, rendering: Rendering | None) -> "GenerateRequest":
        """The request to one model, which was trained on rows rendered so; None: a base model."""
        request = self.model_copy(update={"model": model})
        request._rendering = rendering
        return request

    @property
    def conversation(self) -> list[dict[str, str]]:
        """The conversation so far, in the form that the model was trained on."""
        if self.messages is not None:
            return as_trained([message.model_dump() for message in self.messages], self._rendering)
        # The bundled base model was pretrained on the fenced form.
        return task_messages(
            self.instruction or "", self.input, rendering=self._rendering or "fenced"
        )

    @property
    def answer_format(self) -> AnswerFormat:
        """Where the file stands in an answer: behind a fence, unless the rows taught otherwise."""
        return answer_format(self._rendering or "fenced")

    @property
    def wants_verdicts(self) -> bool:
        """Tells whether the answers are verified."""
        return self.verify or bool(self.checks) or self.searches

    @property
    def searches(self) -> bool:
        """Tells whether more answers may be made than are given back."""
        return self.best_of > 1 or self.repair > 0


def check_request(request: GenerateRequest) -> None:
    """Checks what a schema cannot say.

    Raises InvalidError, ConfigError or DataError that names the field.
    """
    sources = [
        name for name in ("prompt", "instruction", "messages") if getattr(request, name) is not None
    ]
    if len(sources) != 1:
        raise InvalidError(
            "give exactly one of `prompt`, `instruction` and `messages`",
            param=sources[1] if sources else "prompt",
        )
    if request.input and request.instruction is None:
        raise InvalidError("`input` goes with `instruction`", param="input")
    # What was sent of a stream cannot be taken back when a later answer is better.
    if request.searches and request.stream:
        raise InvalidError(
            "a stream cannot be ranked: leave out `best_of` and `repair`, or `stream`",
            param="stream",
        )
    if request.best_of > 1 and request.temperature == 0:
        raise InvalidError(
            "`best_of` needs a `temperature`: greedy answers are all the same", param="temperature"
        )
    if request.repair and request.prompt is not None:
        raise InvalidError(
            "`repair` needs a conversation: give `instruction` or `messages`", param="repair"
        )
    if request.category is not None:
        category(request.category)
    # Last, as it compiles patterns and policies.
    validate_checks(request.checks)


def server_request(request: GenerateRequest, base_model: str) -> dict[str, Any]:
    """The request to the inference server."""
    body: dict[str, Any] = {
        "model": request.model or base_model,
        "prompt": _prompt(request, base_model),
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "n": request.n,
        "skip_special_tokens": False,
    }
    if request.seed is not None:
        body["seed"] = request.seed
    if request.stop:
        body["stop"] = request.stop
    return body


def _prompt(request: GenerateRequest, base_model: str) -> str:
    return (
        request.prompt if request.prompt is not None else render(base_model, request.conversation)
    )
