"""Answers of the routes under `/models` and `/aliases`."""

from typing import Any, Literal

from app.views import View


class ModelView(View):
    """A base model or an adapter."""

    id: str
    object: Literal["model"] = "model"
    kind: Literal["base", "adapter"]
    base_model: str
    stage: str | None = None
    job_id: str | None = None
    parent: str | None = None
    created_at: float | None = None
    available: bool
    """The files are here."""
    description: str | None = None
    aliases: list[str]


class Rate(View):
    """A greedy pass rate."""

    pass_at_1: float
    n: int
    ci95: tuple[float, float]
    """Wilson's interval."""


class Evaluation(View):
    """One evaluation of a model."""

    job_id: str
    at: float
    dataset: str
    bench_hash: str
    max_difficulty: int
    pass_at_1: float
    n: int
    ci95: tuple[float, float]
    new_families: Rate
    by_category: dict[str, Rate]
    judge: dict[str, dict[str, float]]
    """Judge -> mean scores; of a judge model also how often it agreed with the verifier, and how
    often it abstained."""
    judge_model: dict[str, Any] | None = None
    """Who the judge model was, and how far it was trusted then; none, if it was not asked."""


class Ancestor(View):
    """An adapter that this one continues; `available` is false once it was deleted."""

    id: str
    stage: str | None
    job_id: str | None
    available: bool


class ModelFile(View):
    """One file of an adapter."""

    name: str
    bytes: int
    sha256: str


class ModelDetail(ModelView):
    """A model with everything that is known of it."""

    lineage: list[Ancestor]
    """From the first adapter to the parent."""
    dataset: str | None = None
    bench_hash: str | None = None
    """Content of the tasks that it was trained on."""
    files: list[ModelFile]
    evaluations: list[Evaluation]
    """Newest first."""
    manifest: dict[str, Any] | None = None


class ComparedModel(View):
    """A model's evaluation beside the others'."""

    model: str
    stage: str | None
    evaluation: Evaluation | None
    """None: it was never evaluated."""
    difference: float | None
    """Pass rate minus that of the first model."""
    difference_ci95: tuple[float, float] | None
    """Newcombe's interval of the difference; if it holds 0, the evaluation does not tell the two
    apart."""


class Comparison(View):
    """Models side by side."""

    object: Literal["comparison"] = "comparison"
    comparable: bool
    reason: str | None
    """Why the figures cannot be compared."""
    data: list[ComparedModel]


class AliasView(View):
    """A name and the model that it means now."""

    name: str
    object: Literal["alias"] = "alias"
    model: str
    previous: str | None
    """What it meant before: the way back."""
    updated_at: float


class DeletedModel(View):
    """The model is gone."""

    id: str
    object: Literal["model"] = "model"
    deleted: Literal[True] = True
