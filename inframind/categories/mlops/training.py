"""Kubeflow's training jobs and Katib's experiments: the checks of their webhooks."""

import re
from collections.abc import Iterator
from typing import Any

from inframind.categories.base import Resource
from inframind.categories.kubernetes import rules as kubernetes_rules
from inframind.categories.kubernetes.document import Item, Manifest
from inframind.categories.mlops import rules
from inframind.types import Finding

# https://github.com/kubeflow/trainer/tree/release-1.9/pkg/apis/kubeflow.org/v1: field, replica
# types, container
JOBS: dict[str, tuple[str, tuple[str, ...], str | None]] = {
    "PyTorchJob": ("pytorchReplicaSpecs", ("Master", "Worker"), "pytorch"),
    "TFJob": ("tfReplicaSpecs", ("Chief", "Master", "Worker", "PS", "Evaluator"), "tensorflow"),
    "MPIJob": ("mpiReplicaSpecs", ("Launcher", "Worker"), None),
    "XGBoostJob": ("xgbReplicaSpecs", ("Master", "Worker"), "xgboost"),
    "PaddleJob": ("paddleReplicaSpecs", ("Master", "Worker"), "paddle"),
    "JAXJob": ("jaxReplicaSpecs", ("Worker",), "jax"),
}
# MPI starts from its launcher, XGBoost's tracker runs in the master.
NEEDED = {"MPIJob": "Launcher", "XGBoostJob": "Master"}
# ExitCode restarts what ends with a code from 128 on, and nothing else.
RESTART = ("Always", "OnFailure", "Never", "ExitCode")
ALGORITHMS = tuple(
    "random grid bayesianoptimization hyperband tpe multivariate-tpe cmaes sobol enas darts "
    "pbt".split()
)
TYPES = ("double", "int", "discrete", "categorical")
USED = re.compile(r"\$\{trialParameters\.([A-Za-z0-9_.-]+)\}")


def replicas_of(item: Item) -> dict[str, dict[str, Any]]:
    """Map the replica types of a training job to their specs."""
    replicas = item.at("spec", JOBS[item.kind][0]) if item.kind in JOBS else None
    return {name: spec for name, spec in (replicas or {}).items() if isinstance(spec, dict)}


def field_findings(manifest: Manifest, item: Item) -> Iterator[Finding]:
    """Check a training job's replica types, and an experiment's search."""
    if item.kind in JOBS:
        yield from _replica_findings(manifest, item)
    if item.kind == "Experiment":
        yield from _search_findings(manifest, item)


def _replica_findings(manifest: Manifest, item: Item) -> Iterator[Finding]:
    field, allowed, _ = JOBS[item.kind]
    replicas, line = replicas_of(item), manifest.line(item, "spec", field)
    needed = NEEDED.get(item.kind)
    if not replicas or (needed and needed not in replicas):
        yield rules.REPLICA_TYPE.finding(f"{field} needs {needed or ' or '.join(allowed)}", line)
    for name, spec in replicas.items():
        here = manifest.line(item, "spec", field, name)
        if name not in allowed:
            yield rules.REPLICA_TYPE.finding(
                f"{name!r} is not a replica type of a {item.kind}: {', '.join(allowed)}", here
            )
        if name in ("Master", "Launcher", "Chief") and spec.get("replicas") not in (None, 1):
            yield rules.REPLICA_TYPE.finding(f"there is exactly one {name}", here)
        if (policy := spec.get("restartPolicy")) is not None and policy not in RESTART:
            yield kubernetes_rules.FIELDS.value.finding(
                f"restartPolicy {policy!r} is not one of {', '.join(RESTART)}", here
            )


def _search_findings(manifest: Manifest, item: Item) -> Iterator[Finding]:
    objective, algorithm = (
        item.at("spec", "objective") or {},
        item.at("spec", "algorithm", "algorithmName"),
    )
    if objective.get("type") not in ("minimize", "maximize") or not objective.get(
        "objectiveMetricName"
    ):
        message = "objective needs type minimize or maximize, and objectiveMetricName"
        yield rules.SEARCH.finding(message, manifest.line(item, "spec", "objective"))
    if algorithm not in ALGORITHMS:
        message = f"algorithmName {algorithm!r} is not one of {', '.join(ALGORITHMS)}"
        yield rules.SEARCH.finding(message, manifest.line(item, "spec", "algorithm"))
    parallel, most = item.at("spec", "parallelTrialCount"), item.at("spec", "maxTrialCount")
    if isinstance(parallel, int) and isinstance(most, int) and parallel > most:
        message = f"parallelTrialCount {parallel} is above maxTrialCount {most}"
        yield rules.SEARCH.finding(message, manifest.line(item, "spec", "parallelTrialCount"))
    for index, parameter in enumerate(item.at("spec", "parameters") or ()):
        problem = _space_problem(parameter or {})
        if problem:
            yield rules.SEARCH.finding(problem, manifest.line(item, "spec", "parameters", index))


def _space_problem(parameter: dict[str, Any]) -> str | None:
    name, kind, space = (
        parameter.get("name"),
        parameter.get("parameterType"),
        parameter.get("feasibleSpace") or {},
    )
    if not name or kind not in TYPES:
        return f"parameter {name!r}: parameterType is one of {', '.join(TYPES)}"
    if kind in ("double", "int"):
        try:
            # Katib's API has the bounds as texts.
            low, high = float(space["min"]), float(space["max"])
        except (KeyError, TypeError, ValueError):
            return f"parameter {name}: feasibleSpace needs min and max, both numbers in quotes"
        return (
            f"parameter {name}: min {space['min']} is above max {space['max']}"
            if low > high
            else None
        )
    return None if space.get("list") else f"parameter {name}: feasibleSpace needs a list"


def reference_findings(manifest: Manifest, item: Item) -> Iterator[Finding]:
    """Check main containers and trial parameters."""
    main = JOBS[item.kind][2] if item.kind in JOBS else None
    # The controllers set environment and ports on the container of this name alone.
    for path, pod in item.pods if main else ():
        if main not in [
            container.get("name") for container in pod["containers"] if isinstance(container, dict)
        ]:
            yield rules.MAIN_CONTAINER.finding(
                f"a {item.kind} runs the container called {main!r}", manifest.line(item, *path)
            )
    if item.kind == "Experiment":
        yield from _trial_findings(manifest, item)


def _trial_findings(manifest: Manifest, item: Item) -> Iterator[Finding]:
    line = manifest.line(item, "spec", "trialTemplate")
    searched = {parameter.get("name") for parameter in item.at("spec", "parameters") or ()}
    parameters = item.at("spec", "trialTemplate", "trialParameters") or ()
    for parameter in parameters:
        reference = parameter.get("reference")
        if reference not in searched and not str(reference).startswith("${trialSpec."):
            yield rules.TRIAL.finding(
                f"trial parameter {parameter.get('name')}: there is no parameter {reference!r}",
                line,
            )
    used = set(USED.findall(str(item.at("spec", "trialTemplate", "trialSpec"))))
    declared = {str(parameter.get("name")) for parameter in parameters}
    if item.at("spec", "trialTemplate", "trialSpec") is not None:
        for name in sorted(used ^ declared):
            yield rules.TRIAL.finding(
                f"trial parameter {name} is {'not declared' if name in used else 'never used'}",
                line,
            )


def links(resource: Resource) -> Iterator[tuple[str, str, Any]]:
    """Yield (path, kind, name) of what a training object refers to."""
    if resource.kind == "TrainJob":
        reference = (resource.fields.get("spec") or {}).get("runtimeRef") or {}
        yield (
            "spec.runtimeRef.name",
            str(reference.get("kind") or "ClusterTrainingRuntime"),
            reference.get("name"),
        )
