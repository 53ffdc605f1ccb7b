"""Checks a job before its row is written: every refusal names the field and the remedy.

Nothing here holds a transaction that writes: the store of the artifacts may be slow, and is asked
after the last question to the database.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.artifacts import Artifacts
from app.catalog.names import hold, resolved
from app.db.session import reading
from app.db.tables import Adapter, Dataset
from app.errors import InvalidError, NotFoundError
from app.jobs.spec import JobSpec
from app.settings import NO_JUDGE, Settings
from inframind.models.registry import BASE_MODELS, is_available
from inframind.pipeline import DEFAULT_DATASET
from inframind.stages.config import LORA_TARGETS, Lora, StageConfig

DATASET = re.compile(r"ds-[0-9a-f]{32}")


@dataclass(frozen=True)
class Admitted:
    """A job that may be made: names are resolved, stages are whole, files are there."""

    spec: JobSpec
    stages: tuple[StageConfig, ...]
    adapters: Mapping[str, str]
    """The adapters that it reads, by the field that names each."""


def admit(engine: Engine, settings: Settings, artifacts: Artifacts, spec: JobSpec) -> Admitted:
    """Checks the job. Raises InvalidError and ConfigError with `param`, StoreError."""
    with reading(engine) as session:
        check = _Check(session, settings, spec)
        admitted = check.run()
    # After the transaction: a store may be slow, and keeps no connection waiting.
    folders = {param: artifacts.locate(place) for param, place in check.places.items()}
    stored = artifacts.present(folders.values())
    for param, folder in folders.items():
        if folder not in stored:
            name = admitted.adapters[param]
            raise InvalidError(f"the files of {name} are not here any more", param=param)
    return admitted


def check_still_there(session: Session, admitted: Admitted) -> None:
    """Checks, in the transaction that makes the job, that no adapter was deleted meanwhile."""
    # Held until the job's row is there, which then keeps them (`app.catalog.service.in_use`).
    names = set(admitted.adapters.values())
    there = hold(session, names) if names else names
    for place, name in admitted.adapters.items():
        if name not in there:
            raise InvalidError(f"{name} is being deleted", param=place)


@dataclass
class _Check:
    """One job's checks within one transaction."""

    session: Session
    settings: Settings
    spec: JobSpec
    places: dict[str, str] = field(default_factory=dict)
    """The files of the adapters, by the field that names each."""
    adapters: dict[str, str] = field(default_factory=dict)

    def run(self) -> Admitted:
        spec = self.spec = self._with_base_model()
        if spec.base_model not in BASE_MODELS:
            message = f"unknown base model {spec.base_model!r}; known: {', '.join(BASE_MODELS)}"
            raise InvalidError(message, param="base_model")
        stages = spec.resolved()
        if not is_available(spec.base_model):
            message = (
                f"the weights of {spec.base_model} are not in the hub's cache: "
                f"run `hf download {spec.base_model}`"
            )
            raise InvalidError(message, param="base_model")
        self._check_dataset(spec.dataset)
        if spec.start_from is not None:
            parent = self._adapter(spec.start_from, "start_from")
            self._check_rank(int(parent.manifest["lora"].get("r", 0)), "start_from")
            spec = spec.model_copy(update={"start_from": parent.id})
        whole = tuple(self._stage(stage, f"stages.{i}") for i, stage in enumerate(stages))
        return Admitted(spec, whole, self.adapters)

    def _stage(self, stage: StageConfig, place: str) -> StageConfig:
        """Checks one stage, and gives it with ids instead of names."""
        if stage.new_adapter is not None:
            self._check_lora(stage.new_adapter, f"{place}.lora")
        if stage.asks_judge and not self.settings.has_judge:
            raise InvalidError(NO_JUDGE, param=f"{place}.{stage.asks_judge}")
        ids: dict[str, str] = {}
        for inside, name in stage.models_named.items():
            # With the method `evaluate` the job itself has the field.
            param = inside if self.spec.models is not None else f"{place}.{inside}"
            identity = self._model(name, param)
            if identity in ids.values():
                raise InvalidError(f"{identity} is named twice", param=param)
            ids[inside] = identity
        return stage.naming(ids)

    def _with_base_model(self) -> JobSpec:
        """A job that names no base model has that of the adapter it begins with."""
        spec = self.spec
        first = spec.start_from or next(iter(spec.models or ()), None)
        # A base model that was named stands, even against its adapter: the refusal names both.
        if first is None or "base_model" in spec.model_fields_set:
            return spec
        identity = self._identity(first, "start_from" if spec.start_from else "models.0")
        if identity not in BASE_MODELS:
            identity = self.session.get_one(Adapter, identity).base_model
        return spec.model_copy(update={"base_model": identity})

    def _check_dataset(self, name: str) -> None:
        query = select(Dataset.id).where(Dataset.id == name).limit(1)
        if name != DEFAULT_DATASET and (
            not DATASET.fullmatch(name) or self.session.scalar(query) is None
        ):
            message = (
                f"unknown dataset {name!r}: GET /datasets lists those that exist, "
                f"beside {DEFAULT_DATASET}"
            )
            raise InvalidError(message, param="dataset")

    def _identity(self, name: str, param: str) -> str:
        try:
            return resolved(self.session, name)
        except NotFoundError as error:
            raise InvalidError(str(error), param=param) from None

    def _model(self, name: str, param: str) -> str:
        """Gives the id of an adapter, or of the job's own base model."""
        identity = self._identity(name, param)
        if identity not in BASE_MODELS:
            return self._adapter(identity, param).id
        if identity != self.spec.base_model:
            message = (
                f"{identity} is another base model than the job's {self.spec.base_model}: "
                "evaluate it in a job of its own"
            )
            raise InvalidError(message, param=param)
        return identity

    def _adapter(self, name: str, param: str) -> Adapter:
        identity = self._identity(name, param)
        if identity in BASE_MODELS:
            message = f"{identity} is a base model: name an adapter, or leave the field out"
            raise InvalidError(f"{message} to start afresh", param=param)
        adapter = self.session.get_one(Adapter, identity)
        if adapter.base_model != self.spec.base_model:
            message = (
                f"{identity} belongs to the base model {adapter.base_model}, "
                f"the job to {self.spec.base_model}"
            )
            raise InvalidError(message, param=param)
        self.adapters[param], self.places[param] = identity, adapter.whereabouts
        return adapter

    def _check_lora(self, lora: Lora, param: str) -> None:
        self._check_rank(lora.r, f"{param}.r")
        unknown = [name for name in lora.targets if name not in LORA_TARGETS]
        if unknown:
            message = (
                f"the inference server cannot serve an adapter of {', '.join(unknown)}; "
                f"choose from {', '.join(LORA_TARGETS)}"
            )
            raise InvalidError(message, param=f"{param}.targets")

    def _check_rank(self, rank: int, param: str) -> None:
        largest = self.settings.max_lora_rank
        if rank > largest:
            message = (
                f"rank {rank} cannot be served: the inference server takes {largest} at most. "
                f"Choose a lower rank, or start the server with `--max-lora-rank {rank}` and the "
                f"api with INFRAMIND_MAX_LORA_RANK={rank}"
            )
            raise InvalidError(message, param=param)
