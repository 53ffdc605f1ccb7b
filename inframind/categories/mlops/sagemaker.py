"""SageMaker: requests (`aws sagemaker create-... --cli-input-json`) and pipeline definitions."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonschema_rs

from inframind.categories.base import Configuration, Link, Resource
from inframind.categories.mlops import rules
from inframind.categories.shared import json_schema
from inframind.categories.shared.values import cycle, repeated
from inframind.types import Finding

PACKAGE = "inframind.categories.mlops"
NAMES = {
    "TrainingJobName": "TrainingJob",
    "TransformJobName": "TransformJob",
    "ProcessingJobName": "ProcessingJob",
    "HyperParameterTuningJobName": "HyperParameterTuningJob",
    "PipelineName": "Pipeline",
    "NotebookInstanceName": "NotebookInstance",
    "FeatureGroupName": "FeatureGroup",
    "ExperimentName": "Experiment",
    "DomainName": "Domain",
    "ModelPackageName": "ModelPackage",
    "ModelPackageGroupName": "ModelPackageGroup",
    "EndpointName": "Endpoint",
    "EndpointConfigName": "EndpointConfig",
    "ModelName": "Model",
}
"""The field that names what a request makes -> its kind, the first one present wins."""
STEP_REQUESTS = {
    "Training": "TrainingJob",
    "Processing": "ProcessingJob",
    "Transform": "TransformJob",
    "Model": "Model",
    "Tuning": "HyperParameterTuningJob",
}
STEP_TYPES = (
    *STEP_REQUESTS,
    "Condition",
    "Fail",
    "RegisterModel",
    "Callback",
    "Lambda",
    "ClarifyCheck",
    "QualityCheck",
    "EMR",
    "AutoML",
)
# The only version of the definition's schema.
VERSION = "2020-12-01"


@dataclass(frozen=True)
class Request:
    """Hold a parsed JSON text: `kind` is what it makes, `Definition` for a pipeline definition."""

    kind: str
    fields: dict[str, Any]


def request_of(fields: dict[str, Any]) -> Request | None:
    """Recognize the request that a JSON object is, or return None."""
    if "Steps" in fields:
        return Request("Definition", fields)
    return next((Request(kind, fields) for key, kind in NAMES.items() if key in fields), None)


@cache
def validator(kind: str) -> jsonschema_rs.Validator:
    """Compile the schema of the request that creates a `kind`, once a process."""
    data = json_schema.load(PACKAGE, "sagemaker")
    return json_schema.compile_definition(data["definitions"], data["operations"][kind])


def schema_findings(request: Request) -> list[Finding]:
    """Check a request against SageMaker's service model, or the steps of a definition."""
    if request.kind == "Definition":
        return list(_definition_findings(request.fields))
    return [
        _shape(error)
        for error in list(validator(request.kind).iter_errors(request.fields))[
            : json_schema.MAX_FINDINGS
        ]
    ]


def _shape(error: Any) -> Finding:
    where = ".".join(map(str, error.instance_path)) or "the request"
    rule = rules.SHAPE.of_error(error)
    return rule.finding(f"{where}: {error.message[:300]}")


def steps_of(fields: Any) -> Iterator[dict[str, Any]]:
    """Yield all steps of a pipeline definition, those inside conditions too."""
    steps = fields.get("Steps")
    for step in steps if isinstance(steps, list) else ():
        if isinstance(step, dict):
            yield step
            arguments = step.get("Arguments")
            if isinstance(arguments, dict):
                for key in ("IfSteps", "ElseSteps"):
                    yield from steps_of({"Steps": arguments.get(key)})


def _definition_findings(fields: dict[str, Any]) -> Iterator[Finding]:
    if fields.get("Version") != VERSION:
        yield rules.SHAPE.value.finding(f'Version is "{VERSION}"')
    if not isinstance(fields.get("Steps"), list) or not fields["Steps"]:
        yield rules.SHAPE.missing.finding("Steps is a list with at least one step")
    parameters = fields.get("Parameters", [])
    for parameter in parameters if isinstance(parameters, list) else [None]:
        if not isinstance(parameter, dict) or not isinstance(parameter.get("Name"), str):
            yield rules.SHAPE.type.finding("Parameters is a list of objects with Name and Type")
        elif parameter.get("Type") not in ("String", "Integer", "Boolean", "Float"):
            yield rules.SHAPE.value.finding(
                f"parameter {parameter['Name']}: Type is String, Integer, Boolean or Float"
            )
    for step in steps_of(fields):
        yield from _step_findings(step)


def _step_findings(step: dict[str, Any]) -> Iterator[Finding]:
    name, kind, arguments = step.get("Name"), step.get("Type"), step.get("Arguments", {})
    if not isinstance(name, str) or kind not in STEP_TYPES or not isinstance(arguments, dict):
        yield rules.STEP.finding(
            f"step {name!r}: needs Name, Arguments, and a Type of {', '.join(STEP_TYPES)}"
        )
    elif kind in STEP_REQUESTS:
        for error in validator(STEP_REQUESTS[kind]).iter_errors(arguments):
            # A pipeline gives the jobs of its steps names of its own.
            missing_name = "is a required property" in error.message and not list(
                error.instance_path
            )
            if not missing_name and not _is_placeholder(error.instance):
                rule = rules.SHAPE.of_error(error)
                yield rule.finding(f"step {name}: {_shape(error).message}")


def _is_placeholder(node: Any) -> bool:
    """Tell whether the pipeline resolves a value when it runs: a reference or a function."""
    return isinstance(node, dict) and ("Get" in node or any(key.startswith("Std:") for key in node))


def references_of(node: Any) -> Iterator[str]:
    """Yield the name of every `{"Get": "..."}` below a value."""
    if isinstance(node, dict):
        if isinstance(node.get("Get"), str):
            yield node["Get"]
        for value in node.values():
            yield from references_of(value)
    elif isinstance(node, list):
        for item in node:
            yield from references_of(item)


def waits_for(step: dict[str, Any]) -> set[str]:
    """Collect the steps that a step needs."""
    listed = step.get("DependsOn")
    needed = {str(name) for name in listed} if isinstance(listed, list) else set()
    return needed | {
        get.split(".")[1]
        for get in references_of(step.get("Arguments"))
        # `Steps.NAME.PROPERTY`
        if get.startswith("Steps.") and get.count(".") > 1
    }


def reference_findings(request: Request) -> Iterator[Finding]:
    """Check containers, variants, and the names that a pipeline definition uses."""
    if request.kind == "Definition":
        yield from _pipeline_references(request.fields)
    if request.kind == "Model" and ("PrimaryContainer" in request.fields) == bool(
        request.fields.get("Containers")
    ):
        inference = request.fields.get("InferenceExecutionConfig")
        yield rules.CONTAINERS.finding(
            f"give exactly one of PrimaryContainer and Containers{' (a list)' if inference else ''}"
        )
    variants = (
        request.fields.get("ProductionVariants", ()) if request.kind == "EndpointConfig" else ()
    )
    for name, count in repeated(variant["VariantName"] for variant in variants):
        yield rules.DUPLICATE.finding(f"{count} variants are called {name!r}")
    for variant in variants:
        sized = (
            "InstanceType" in variant
            or "ServerlessConfig" in variant
            or "ManagedInstanceScaling" in variant
        )
        if not sized or ("InstanceType" in variant and "ServerlessConfig" in variant):
            yield rules.VARIANT.finding(
                f"variant {variant['VariantName']}: give either InstanceType or ServerlessConfig"
            )


def _pipeline_references(fields: dict[str, Any]) -> Iterator[Finding]:
    steps = list(steps_of(fields))
    names = Counter(str(step.get("Name")) for step in steps)
    parameters = {str(parameter.get("Name")) for parameter in fields.get("Parameters") or ()}
    for name, count in repeated(names):
        yield rules.DUPLICATE.finding(f"{count} steps are called {name!r}")
    for get in references_of(fields):
        scope, _, rest = get.partition(".")
        if scope == "Parameters" and rest not in parameters:
            yield rules.PIPELINE_REFERENCE.finding(f"there is no parameter {rest!r}")
    for step in steps:
        for other in sorted(waits_for(step) - names.keys()):
            yield rules.PIPELINE_REFERENCE.finding(
                f"step {step.get('Name')}: there is no step {other!r}"
            )
    circle = cycle({str(step.get("Name")): waits_for(step) for step in steps})
    if circle:
        yield rules.CYCLE.finding(f"steps wait for one another: {' -> '.join(circle)}")


def effective(request: Request) -> Configuration:
    """Return one object for a request, `step` and `parameter` objects for a definition."""
    if request.kind != "Definition":
        key = next(key for key, kind in NAMES.items() if kind == request.kind)
        return Configuration(
            (Resource(request.kind, str(request.fields.get(key)), request.fields),)
        )
    steps = [Resource("step", str(step.get("Name")), step) for step in steps_of(request.fields)]
    parameters = [
        Resource("parameter", str(parameter.get("Name")), parameter)
        for parameter in request.fields.get("Parameters") or ()
    ]
    links = [
        Link(
            index,
            "DependsOn" if name in (step.fields.get("DependsOn") or ()) else "Arguments",
            "step",
            name,
        )
        for index, step in enumerate(steps)
        for name in sorted(waits_for(dict(step.fields)))
    ]
    links += [
        Link(index, "Arguments", "parameter", get.partition(".")[2])
        for index, step in enumerate(steps)
        for get in references_of(step.fields.get("Arguments"))
        if get.startswith("Parameters.")
    ]
    return Configuration((*steps, *parameters), tuple(links))


def policy_findings(request: Request) -> Iterator[Finding]:
    """Judge encryption and isolation."""
    text = str(request.fields)
    if (
        request.kind in ("TrainingJob", "ProcessingJob", "EndpointConfig", "NotebookInstance")
        # Volumes, outputs and endpoints each have a field of their own that ends so.
        and "KmsKey" not in text
    ):
        yield rules.UNENCRYPTED.finding(f"the {request.kind} names no KMS key")
    if (
        request.kind in ("TrainingJob", "Model", "ProcessingJob")
        and "VpcConfig" not in text
        and "EnableNetworkIsolation" not in text
    ):
        yield rules.NETWORK.finding(
            f"the {request.kind} has neither VpcConfig nor EnableNetworkIsolation"
        )
