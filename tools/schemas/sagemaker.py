"""SageMaker's requests as JSON Schema, from the service model that botocore carries."""

import gzip
import json
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import jsonschema_rs

OPERATIONS = (
    "CreateTrainingJob", "CreateModel", "CreateEndpointConfig", "CreateEndpoint",
    "CreateTransformJob", "CreateProcessingJob", "CreateHyperParameterTuningJob", "CreatePipeline",
    "CreateModelPackageGroup", "CreateModelPackage", "CreateNotebookInstance", "CreateFeatureGroup",
    "CreateExperiment", "CreateDomain",
)  # fmt: skip
SCALARS = {
    "string": "string",
    "integer": "integer",
    "long": "integer",
    "boolean": "boolean",
    "float": "number",
    "double": "number",
}


def pattern(text: str) -> dict[str, str]:
    """The pattern, if the regular expression engine has its syntax.

    AWS' patterns match the whole text.
    """
    anchored = f"^(?:{text})$"
    try:
        jsonschema_rs.validator_for(
            {"pattern": anchored}, pattern_options=jsonschema_rs.RegexOptions()
        )
    except jsonschema_rs.ValidationError:
        return {}
    return {"pattern": anchored}


def shape(data: dict[str, Any]) -> dict[str, Any]:
    """One shape as JSON Schema."""

    def ref(member: dict[str, Any]) -> dict[str, str]:
        return {"$ref": f"#/$defs/{member['shape']}"}

    kind, low, high = data["type"], data.get("min"), data.get("max")
    if kind == "structure":
        # A token against repeated requests is filled in by every client.
        required = [
            name
            for name in data.get("required", ())
            if not data["members"][name].get("idempotencyToken")
        ]
        members = {name: ref(member) for name, member in data["members"].items()}
        return {
            "type": "object",
            "properties": members,
            "required": required,
            "additionalProperties": False,
        }
    if kind == "list":
        bounds = {"minItems": low, "maxItems": high}
        schema: dict[str, Any] = {"type": "array", "items": ref(data["member"])}
    elif kind == "map":
        bounds = {"minProperties": low, "maxProperties": high}
        schema = {"type": "object", "additionalProperties": ref(data["value"])}
    elif kind == "string":
        bounds = {"minLength": low, "maxLength": high}
        schema = {"type": "string"} | ({"enum": data["enum"]} if "enum" in data else {})
        schema |= pattern(data["pattern"]) if "pattern" in data else {}
    elif kind in SCALARS:
        bounds, schema = {"minimum": low, "maximum": high}, {"type": SCALARS[kind]}
    else:  # a timestamp or a blob
        return {"type": ["string", "number"]}
    return schema | {key: value for key, value in bounds.items() if value is not None}


def sagemaker() -> dict[str, Any]:
    """`operations` (name without Create -> definition) and `definitions`."""
    files = distribution("botocore").files or ()
    path = next(
        path
        for path in files
        if str(path).startswith("botocore/data/sagemaker/") and path.name == "service-2.json.gz"
    )
    model = json.loads(gzip.decompress(Path(str(path.locate())).read_bytes()))
    operations = {
        name.removeprefix("Create"): model["operations"][name]["input"]["shape"]
        for name in OPERATIONS
    }
    needed: dict[str, Any] = {}
    todo = list(operations.values())
    while todo:
        name = todo.pop()
        if name not in needed:
            data = model["shapes"][name]
            needed[name] = shape(data)
            todo += [member["shape"] for member in data.get("members", {}).values()]
            todo += [data[key]["shape"] for key in ("member", "key", "value") if key in data]
    return {"operations": operations, "definitions": needed}
