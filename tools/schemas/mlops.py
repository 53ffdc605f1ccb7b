"""Builds `data/schema.json.gz` and `data/sagemaker.json.gz` from the projects' own clients, all
Apache-2.0.

pip install --no-deps kserve==0.21.0 kubeflow-training==1.9.4
pip install --no-deps kubeflow-katib==0.19.0 botocore==1.44.8
pip install kubeflow-trainer-api==2.3.0 hera==7.1.0
python -m tools.schemas.mlops

What these do not carry is in `types.yaml`, read from the Go types it names. Kubernetes' own types
are those of the `kubernetes` package: a definition here refers to them by their full names.
"""

import json
import re
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any

from inframind.categories.kubernetes import schema as kubernetes
from inframind.categories.shared.yaml import load_all
from tools.data import CATEGORIES, write
from tools.schemas.kubernetes import without_prose
from tools.schemas.sagemaker import sagemaker

HERE = CATEGORIES / "mlops"
SCALARS = {
    "str": "string",
    "int": "integer",
    "bool": "boolean",
    "float": "number",
    "string": "string",
    "number": "number",
}
CORE, META = "io.k8s.api.core.v1.", "io.k8s.apimachinery.pkg.apis.meta.v1."
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
OTHERS = {
    "K8sIoApiAppsV1DeploymentStrategy": "io.k8s.api.apps.v1.DeploymentStrategy",
    "K8sIoApiAutoscalingV2HorizontalPodAutoscalerBehavior": (
        "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerBehavior"
    ),
    "K8sIoApiAutoscalingV2MetricSpec": "io.k8s.api.autoscaling.v2.MetricSpec",
    "ResourceQuantity": QUANTITY,
    "Quantity": QUANTITY,
    "V1beta1MetricQuantity": QUANTITY,
}
SWAGGER = {
    "kserve": ("kserve/models/", "serving.kserve.io"),
    "kubeflow-training": ("kubeflow/training/models/", "kubeflow.org"),
    "kubeflow-katib": ("kubeflow/katib/models/", "kubeflow.org"),
}
KIND = re.compile(r"(?:KubeflowOrg)?V(\d+(?:alpha|beta)?\d*)([A-Z]\w*)")
Definitions = dict[str, Any]


def kubernetes_name(name: str) -> str | None:
    """The full name of a Kubernetes type that a client calls `V1Container`,
    `IoK8sApiCoreV1Container` or `Container`.
    """
    if name in OTHERS:
        return OTHERS[name]
    # Generators differ in how much of group and version they keep in a type's name.
    bare = re.sub(
        r"^(?:IoK8sApiCoreV1|IoK8sApimachineryPkgApisMetaV1|IoK8sApimachineryPkgApiResource|V1(?=[A-Z]))",
        "",
        name,
    )
    batch = f"io.k8s.api.batch.v1.{name.removeprefix('IoK8sApiBatchV1')}"
    candidates = (CORE + bare, META + bare, f"io.k8s.apimachinery.pkg.api.resource.{bare}", batch)
    return next((full for full in candidates if full in kubernetes.definitions()), None)


def optional(kind: str) -> dict[str, Any]:
    """Null is what a client leaves out."""
    return {"type": [kind, "null"]}


def swagger_type(text: str, own: set[str]) -> dict[str, Any]:
    """A type of openapi-generator's Python models: `list[V1Container]`, `dict(str, str)`, `int`
    ...
    """
    if match := re.fullmatch(r"list\[(.*)\]", text):
        return optional("array") | {"items": swagger_type(match[1], own)}
    if match := re.fullmatch(r"dict\(str, (.*)\)", text):
        return optional("object") | {"additionalProperties": swagger_type(match[1], own)}
    if text in SCALARS:
        return optional(SCALARS[text])
    full = text if text in own else kubernetes_name(text)
    return {"$ref": f"#/$defs/{full}"} if full else {}


def swagger(package: str, folder: str) -> Definitions:
    """The definitions of one generated client, read from its source: importing it would start half
    of its dependencies.
    """
    sources = {}
    for path in distribution(package).files or ():
        if str(path).startswith(folder) and path.suffix == ".py":
            text = Path(str(path.locate())).read_text()
            if match := re.search(r"^class (\w+)\(object\)", text, re.MULTILINE):
                sources[match[1]] = text
    definitions: Definitions = {}
    for name, text in sources.items():
        types = _table(text, r"openapi_types = \{(.*?)\}")
        keys = _table(text, r"attribute_map = \{(.*?)\}")
        required = re.findall(r"Invalid value for `(\w+)`, must not be `None`", text)
        definitions[name] = closed(
            {keys[field]: swagger_type(kind, set(sources)) for field, kind in types.items()},
            # `runPolicy` is no pointer in Go, so the client demands it; the resource definition
            # does not.
            sorted({keys[field] for field in required} - {"runPolicy"}),
        )
    return definitions


def _table(text: str, pattern: str) -> dict[str, str]:
    """Names and values of a class's table in generated source. Raises ValueError if it has none."""
    match = re.search(pattern, text, re.DOTALL)
    if match is None:
        raise ValueError(f"no table {pattern!r} in the generated class")
    return dict(re.findall(r"'(\w+)': '([^']*)'", match[1]))


def closed(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    """An object with these fields and no others."""
    return optional("object") | {
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def pydantic(model: Any, prefix: str) -> tuple[str, Definitions]:
    """(name, definitions) of a pydantic client's model; its Kubernetes types are replaced by
    ours.
    """
    schema = model.model_json_schema(by_alias=True)
    own = {name for name in schema["$defs"] if kubernetes_name(name) is None}

    def rewritten(node: Any) -> Any:
        if isinstance(node, list):
            return [rewritten(item) for item in node]
        if not isinstance(node, dict):
            return node
        if isinstance(node.get("$ref"), str):
            name = node["$ref"].rpartition("/")[2]
            ours = name in own or prefix + name == "argo.Container"
            return {"$ref": f"#/$defs/{prefix + name if ours else kubernetes_name(name)}"}
        options = [option for option in node.get("anyOf", ()) if option != {"type": "null"}]
        if len(options) == 1:
            # A reference to a type of ours: null is what a client leaves out.
            return rewritten(options[0])
        kept = {
            key: rewritten(value)
            for key, value in node.items()
            if key not in ("default", "title", "description") or not isinstance(value, str | None)
        }
        return (
            kept | {"additionalProperties": False}
            if isinstance(kept.get("properties"), dict)
            else kept
        )

    definitions = {prefix + name: rewritten(without_prose(schema["$defs"][name])) for name in own}
    root = prefix + model.__name__
    definitions[root] = rewritten(
        without_prose({key: value for key, value in schema.items() if key != "$defs"})
    )
    return root, definitions


def written_type(node: Any) -> dict[str, Any]:
    """A type of `types.yaml`."""
    if isinstance(node, list):
        return optional("array") | {"items": written_type(node[0])}
    if isinstance(node, dict):
        return optional("object") | {
            "additionalProperties": written_type(next(iter(node.values())))
        }
    if node == "any":
        return {}
    if node in ("object", "bool", "int"):
        return optional({"object": "object", "bool": "boolean", "int": "integer"}[node])
    if node in SCALARS:
        return optional(SCALARS[node])
    if "|" in node:
        return {"enum": [*node.split("|"), None]}
    return {"$ref": f"#/$defs/{CORE}{node[4:]}" if node.startswith("k8s.") else f"#/$defs/{node}"}


def written(data: Any) -> tuple[dict[str, str], Definitions]:
    """(kinds, definitions) of `types.yaml`."""
    definitions = {
        name: closed(
            {key.rstrip("!"): written_type(node) for key, node in fields.items()},
            [key[:-1] for key in fields if key.endswith("!")],
        )
        for name, fields in data["types"].items()
    }
    kinds = {}
    for key, spec in data["kinds"].items():
        kinds[key] = "root." + key.replace("/", ".")
        definitions[kinds[key]] = closed(
            {
                "apiVersion": optional("string"),
                "kind": optional("string"),
                "metadata": {"$ref": f"#/$defs/{META}ObjectMeta"},
                "spec": {"$ref": f"#/$defs/{spec}"},
                "status": optional("object"),
            },
            ["spec"],
        )
    return kinds, definitions


def relax(definitions: Definitions) -> None:
    """Drop a framework's required fields and the ports of probes, as KServe's Makefile does."""
    core = kubernetes.definitions()
    for name in ("HTTPGetAction", "TCPSocketAction"):
        definitions[f"kserve.{name}"] = core[CORE + name] | {"required": []}
    for name in ("Probe", "Container"):
        text = json.dumps(core[CORE + name])
        for changed in ("HTTPGetAction", "TCPSocketAction", "Probe"):
            text = text.replace(f'/{CORE}{changed}"', f'/kserve.{changed}"')
        definitions[f"kserve.{name}"] = json.loads(text)
    frameworks = set()
    for component in ("V1beta1PredictorSpec", "V1beta1TransformerSpec", "V1beta1ExplainerSpec"):
        text = json.dumps(definitions[component])
        frameworks |= set(re.findall(r"#/\$defs/(V1beta1\w+Spec)", text))
        definitions[component] = json.loads(
            text.replace(f'/{CORE}Container"', '/kserve.Container"')
        )
    for name in frameworks:
        definitions[name] = json.loads(
            json.dumps(definitions[name]).replace(f'/{CORE}Probe"', '/kserve.Probe"')
        ) | {"required": []}


def custom_resources() -> dict[str, Any]:
    """All custom resources: `kinds` (apiVersion/kind -> definition) and `definitions`."""
    from hera.workflows import models as argo  # type: ignore[import-not-found]
    from kubeflow_trainer_api import models as trainer  # type: ignore[import-not-found]

    kinds: dict[str, str] = {}
    definitions: Definitions = {}
    for package, (folder, group) in SWAGGER.items():
        for name, definition in swagger(package, folder).items():
            definitions[name] = definition
            if (match := KIND.fullmatch(name)) and {"spec", "kind"} <= definition[
                "properties"
            ].keys():
                kinds[f"{group}/v{match[1]}/{match[2]}"] = name
    for prefix, group, classes in (
        (
            "trainer.",
            "trainer.kubeflow.org/v1alpha1",
            ("TrainJob", "TrainingRuntime", "ClusterTrainingRuntime"),
        ),
        (
            "argo.",
            "argoproj.io/v1alpha1",
            ("Workflow", "CronWorkflow", "WorkflowTemplate", "ClusterWorkflowTemplate"),
        ),
    ):
        for kind in classes:
            model = (
                getattr(trainer, f"TrainerV1alpha1{kind}")
                if prefix == "trainer."
                else getattr(argo, kind)
            )
            kinds[f"{group}/{kind}"], more = pydantic(model, prefix)
            definitions |= more
    (data,) = load_all((HERE / "types.yaml").read_text())
    written_kinds, more = written(data)
    # The one container of an Argo template has no name.
    definitions["argo.Container"] = kubernetes.definitions()[CORE + "Container"] | {"required": []}
    for name, older in data["older"].items():
        definitions[name]["properties"] |= {key: written_type(node) for key, node in older.items()}
        # What replaced them is required beside them no more.
        definitions[name]["required"] = [
            key for key in definitions[name].get("required", ()) if key != "schedules"
        ]
    relax(definitions)
    return {
        "kinds": dict(sorted((kinds | written_kinds).items())),
        "definitions": definitions | more,
    }


def main() -> None:
    """Writes both files into the category's data."""
    packages = (*SWAGGER, "kubeflow-trainer-api", "hera")
    sources = ", ".join(f"{package} {version(package)}" for package in packages) + ", types.yaml"
    write("mlops", "schema", {"source": sources, "licence": "Apache-2.0"} | custom_resources())
    write(
        "mlops",
        "sagemaker",
        {"source": f"botocore {version('botocore')}", "licence": "Apache-2.0"} | sagemaker(),
    )


if __name__ == "__main__":
    main()
