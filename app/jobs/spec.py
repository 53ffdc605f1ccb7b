"""Body that a person sends to start a job (docs/contracts/job.md)."""

from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PrivateAttr,
    model_validator,
)

from app.db.tables import Job
from app.fields import MetadataKey, MetadataValue, ModelName
from inframind.models.registry import BASE_MODELS
from inframind.pipeline import DEFAULT_DATASET, resolve_stages
from inframind.stages import MAX_STAGES, methods
from inframind.stages.config import StageConfig

EXAMPLES: list[JsonValue] = [
    {
        "method": "dapo",
        "base_model": "inframind-nano",
        "seed": 0,
        "name": "first run",
        "metadata": {"team": "platform"},
    },
    {
        "stages": [
            {"stage": "sft", "max_steps": 40, "quantization": "nf4"},
            {"stage": "dapo", "max_steps": 20, "num_generations": 8},
        ],
        "base_model": "inframind-nano",
    },
    {"method": "evaluate", "models": ["inframind-nano"]},
]


class JobSpec(BaseModel):
    """The body of `POST /jobs`."""

    # Not strict, Pydantic takes "1", 1.0 and true for the number 1.
    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": EXAMPLES})

    method: str | None = Field(
        default=None,
        max_length=32,
        description=f"One of {', '.join(methods())}; or give `stages`.",
    )
    stages: list[dict[str, Any]] | None = Field(
        default=None, max_length=MAX_STAGES, description="Stages with their hyperparameters."
    )
    base_model: str = Field(
        default=next(iter(BASE_MODELS)),
        max_length=128,
        description="A base model of GET /models.",
    )
    start_from: ModelName | None = Field(
        default=None, description="An adapter of GET /models to continue, by any of its names."
    )
    models: list[ModelName] | None = Field(
        default=None,
        min_length=1,
        max_length=16,
        description="With `evaluate`: what to evaluate; names, aliases, base models.",
    )
    dataset: str = Field(default=DEFAULT_DATASET, max_length=128)
    # numpy.random.seed, which transformers calls with it, takes 32 bits.
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    priority: int = Field(
        default=0, ge=-100, le=100, description="Higher ones run first; among equals, the oldest."
    )
    deadline_seconds: float | None = Field(
        default=None,
        gt=0,
        le=30 * 86_400,
        description="A job that has not ended so long after it was accepted has failed.",
    )
    name: str | None = Field(default=None, min_length=1, max_length=128)
    metadata: dict[MetadataKey, MetadataValue] = Field(default_factory=dict, max_length=16)

    _fine_tuning: dict[str, Any] | None = PrivateAttr(default=None)

    @property
    def fine_tuning(self) -> dict[str, Any] | None:
        """Tells what OpenAI's API was asked for, if the job came from there. No body can set it."""
        return self._fine_tuning

    def asked_as(self, fine_tuning: dict[str, Any]) -> "JobSpec":
        """The spec of a fine-tuning job."""
        self._fine_tuning = fine_tuning
        return self

    @model_validator(mode="after")
    def _either(self) -> "JobSpec":
        if (self.method is None) == (self.stages is None):
            raise ValueError("give either `method` or `stages`")
        if self.models is not None and self.method != "evaluate":
            raise ValueError(
                "`models` goes with the method `evaluate`; a stage of `stages` has its own `models`"
            )
        return self

    def resolved(self) -> tuple[StageConfig, ...]:
        """Makes the whole stages that the spec means. Raises ConfigError that names the field."""
        method, stages, continues = self.method, self.stages, self.start_from is not None
        if self.models is not None:
            method, stages = None, [{"stage": "evaluate", "models": self.models}]
        return resolve_stages(
            self.base_model, method, stages, continues=continues, dataset=self.dataset
        )


def spec_again(job: Job) -> JobSpec:
    """Writes what a job was asked for anew: its resolved stages, with as much time as it had."""
    spec = JobSpec(
        stages=job.stages,
        base_model=job.base_model,
        start_from=job.start_from,
        dataset=job.dataset,
        seed=job.seed,
        priority=job.priority,
        deadline_seconds=None if job.deadline_at is None else job.deadline_at - job.created_at,
        name=job.name,
        metadata=job.meta,
    )
    return spec if job.fine_tuning is None else spec.asked_as(job.fine_tuning)
