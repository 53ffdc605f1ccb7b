"""What a job must meet before its row is written: every refusal names the field and says what to do."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.artifacts import Artifacts
from app.catalog.names import resolved
from app.db.tables import Adapter, Dataset
from app.errors import InvalidError, NotFoundError
from app.jobs.spec import JobSpec
from app.judging.chat_client import NOT_CONFIGURED
from app.settings import Settings
from inframind.models.registry import BASE_MODELS, is_available
from inframind.pipeline import DEFAULT_DATASET
from inframind.stages.config import LORA_TARGETS

DATASET = re.compile(r"ds-[0-9a-f]{32}")


@dataclass(frozen=True)
class Servable:
    """What the inference server can load: its `--max-lora-rank`, and the modules that an adapter may change. Is there a judge?"""

    max_lora_rank: int = 256
    lora_targets: frozenset[str] = frozenset(LORA_TARGETS)
    has_judge: bool = False
    has_files: Callable[[Path], bool] = Path.exists
    """Tells whether an adapter's folder is here or in the store."""

    @classmethod
    def by(cls, settings: Settings, artifacts: Artifacts) -> "Servable":
        """Reads the settings and knows where files lie."""
        return cls(settings.max_lora_rank, settings.lora_targets, settings.has_judge, artifacts.has)


def checked(
    session: Session, spec: JobSpec, servable: Servable
) -> tuple[JobSpec, list[dict[str, Any]]]:
    """The spec with its names resolved, and its whole stages. Raises InvalidError or ConfigError with `param`."""
    spec = _with_base_model(session, spec)
    if spec.base_model not in BASE_MODELS:
        raise InvalidError(
            f"unknown base model {spec.base_model!r}; known: {', '.join(BASE_MODELS)}",
            param="base_model",
        )
    stages = spec.resolved()
    if not is_available(spec.base_model):
        message = f"the weights of {spec.base_model} are not in the hub's cache: run `hf download {spec.base_model}`"
        raise InvalidError(message, param="base_model")
    _check_dataset(session, spec.dataset)
    if spec.start_from is not None:
        parent = _adapter(session, spec.start_from, spec.base_model, "start_from", servable)
        _check_rank(int(parent.manifest["lora"].get("r", 0)), servable, "start_from")
        spec = spec.model_copy(update={"start_from": parent.id})
    for index, stage in enumerate(stages):
        _check_lora(stage, servable, f"stages.{index}.lora")
        if stage.get("judged_tasks") and not servable.has_judge:
            raise InvalidError(NOT_CONFIGURED, param=f"stages.{index}.judged_tasks")
        if stage.get("models"):
            place = "models" if spec.models is not None else f"stages.{index}.models"
            stage["models"] = _resolved_models(
                session, stage["models"], spec.base_model, place, servable
            )
    return spec, stages


def _with_base_model(session: Session, spec: JobSpec) -> JobSpec:
    """A job that names no base model has that of the adapter it begins with."""
    first = spec.start_from or next(iter(spec.models or ()), None)
    if first is None or "base_model" in spec.model_fields_set:
        return spec
    param = "start_from" if spec.start_from else "models.0"
    name = _name(session, first, param)
    base = name if name in BASE_MODELS else session.get_one(Adapter, name).base_model
    return spec.model_copy(update={"base_model": base})


def _check_dataset(session: Session, name: str) -> None:
    if name == DEFAULT_DATASET:
        return
    if (
        not DATASET.fullmatch(name)
        or session.scalar(select(Dataset.id).where(Dataset.id == name).limit(1)) is None
    ):
        message = f"unknown dataset {name!r}: GET /datasets lists those that exist, beside {DEFAULT_DATASET}"
        raise InvalidError(message, param="dataset")


def _name(session: Session, name: str, param: str) -> str:
    try:
        return resolved(session, name)
    except NotFoundError as error:
        raise InvalidError(str(error), param=param) from None


def _adapter(
    session: Session, name: str, base_model: str, param: str, servable: Servable
) -> Adapter:
    identity = _name(session, name, param)
    if identity in BASE_MODELS:
        raise InvalidError(
            f"{identity} is a base model: name an adapter, or leave the field out to start afresh",
            param=param,
        )
    found = session.get_one(Adapter, identity)
    if not servable.has_files(Path(found.path)):
        raise InvalidError(f"the files of {identity} are not here any more", param=param)
    if found.base_model != base_model:
        raise InvalidError(
            f"{identity} belongs to the base model {found.base_model}, the job to {base_model}",
            param=param,
        )
    return found


def _resolved_models(
    session: Session, names: Sequence[str], base_model: str, place: str, servable: Servable
) -> list[str]:
    found: list[str] = []
    for index, name in enumerate(names):
        param = f"{place}.{index}"
        identity = _name(session, name, param)
        if identity in BASE_MODELS and identity != base_model:
            message = f"{identity} is another base model than the job's {base_model}: evaluate it in a job of its own"
            raise InvalidError(message, param=param)
        found.append(
            identity
            if identity in BASE_MODELS
            else _adapter(session, identity, base_model, param, servable).id
        )
        if found[-1] in found[:-1]:
            raise InvalidError(f"{found[-1]} is named twice", param=param)
    return found


def _check_lora(stage: Mapping[str, Any], servable: Servable, place: str) -> None:
    lora = stage.get("lora")
    if lora is None:
        return
    _check_rank(lora["r"], servable, f"{place}.r")
    unknown = [name for name in lora["targets"] if name not in servable.lora_targets]
    if unknown:
        known = ", ".join(sorted(servable.lora_targets))
        message = f"the inference server cannot serve an adapter of {', '.join(unknown)}; choose from {known}"
        raise InvalidError(message, param=f"{place}.targets")


def _check_rank(rank: int, servable: Servable, param: str) -> None:
    if rank > servable.max_lora_rank:
        message = (
            f"rank {rank} cannot be served: the inference server takes {servable.max_lora_rank} at most. Choose a lower rank, "
            f"or start the server with `--max-lora-rank {rank}` and the api with INFRAMIND_MAX_LORA_RANK={rank}"
        )
        raise InvalidError(message, param=param)
