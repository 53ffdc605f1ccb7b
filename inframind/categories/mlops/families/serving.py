"""Task families for KServe."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, contains, equals, identity, references
from inframind.categories.mlops.families.base import crd, family

FORMATS = ("sklearn", "xgboost", "lightgbm", "onnx", "pytorch", "tensorflow")


def isvc(name: str, predictor: str, more: str = "") -> str:
    """An InferenceService; `predictor` is indented by four."""
    return crd(
        "serving.kserve.io/v1beta1", "InferenceService", name, f"  predictor:\n{predictor}{more}"
    )


def model(kind: str, uri: str) -> str:
    """A predictor's model."""
    return f"    model:\n      modelFormat:\n        name: {kind}\n      storageUri: {uri}\n"


ALPHA = ("serving.kserve.io/v1beta1", "serving.kserve.io/v1alpha2")
"""The habit from KFServing's first version."""


@family("inference-service", difficulty=1)
def inference_service(draw: Draw) -> Draft:
    name, kind, bucket = draw.name(), draw.choice(FORMATS), draw.name()
    answer = isvc(name, model(kind, f"s3://{bucket}/model"))
    return Draft(
        wordings=(
            f"Write a KServe InferenceService {name} that serves the {kind} model at s3://{bucket}/model.",
            f"kserve isvc {name}: {kind}, s3://{bucket}/model",
            f"Our {kind} model lies at s3://{bucket}/model. Serve it with KServe under the name {name}.",
        ),
        answer=answer,
        reasoning=(
            f"InferenceService {name}",
            f"model format {kind}, storageUri s3://{bucket}/model",
        ),
        checks=(
            identity("InferenceService", name),
            equals("InferenceService", name, "spec.predictor.model.modelFormat.name", kind),
            equals(
                "InferenceService", name, "spec.predictor.model.storageUri", f"s3://{bucket}/model"
            ),
        ),
        variant=answer.replace(f"name: {name}", f'name: "{name}"').replace(
            "predictor:\n", "predictor:\n    minReplicas: 1\n"
        ),
        habits=(ALPHA, ("storageUri", "modelUri")),
    )


@family("canary", difficulty=2)
def canary(draw: Draw) -> Draft:
    name, bucket, share = draw.name(), draw.word(), draw.choice((10, 20, 25, 30))
    answer = isvc(
        name, f"    canaryTrafficPercent: {share}\n" + model("sklearn", f"gs://{bucket}/v2")
    )
    return Draft(
        wordings=(
            f"Roll out gs://{bucket}/v2 on the KServe sklearn service {name}: only {share} percent of the traffic goes to the new model.",
            f"kserve {name}, sklearn gs://{bucket}/v2, canary {share}%",
            f"The InferenceService {name} gets the sklearn model gs://{bucket}/v2 as a canary with {share} % of the traffic.",
        ),
        answer=answer,
        reasoning=(
            f"InferenceService {name} with gs://{bucket}/v2",
            f"canaryTrafficPercent {share}",
        ),
        checks=(
            identity("InferenceService", name),
            equals("InferenceService", name, "spec.predictor.canaryTrafficPercent", share),
            equals("InferenceService", name, "spec.predictor.model.modelFormat.name", "sklearn"),
            equals(
                "InferenceService", name, "spec.predictor.model.storageUri", f"gs://{bucket}/v2"
            ),
        ),
        variant=isvc(
            name, model("sklearn", f"gs://{bucket}/v2") + f"    canaryTrafficPercent: {share}\n"
        ),
        habits=(ALPHA, ("canaryTrafficPercent", "canaryPercent")),
    )


@family("kserve-autoscaling", difficulty=3)
def kserve_autoscaling(draw: Draw) -> Draft:
    name, claim, low, high, gpus = (
        draw.name(),
        draw.name(),
        draw.integer(1, 2),
        draw.integer(3, 9),
        draw.integer(1, 4),
    )
    target = draw.choice((2, 4, 6, 9))
    limits = f"      resources:\n        limits:\n          nvidia.com/gpu: {gpus}\n"
    scaling = f"    minReplicas: {low}\n    maxReplicas: {high}\n    scaleMetric: concurrency\n    scaleTarget: {target}\n"
    answer = isvc(name, scaling + model("pytorch", f"pvc://{claim}/model") + limits)
    return Draft(
        wordings=(
            f"Serve the PyTorch model pvc://{claim}/model with KServe as {name}: {low} to {high} replicas by concurrency (target {target}), "
            f"{gpus} GPU each.",
            f"isvc {name} pytorch pvc://{claim}/model, replicas {low}-{high}, concurrency {target}, nvidia.com/gpu {gpus}",
            f"{name} is a KServe service for the pytorch model in pvc://{claim}/model. Limit each replica to {gpus} nvidia.com/gpu; scale "
            f"from {low} to {high} replicas on a concurrency of {target}.",
        ),
        answer=answer,
        reasoning=(
            f"InferenceService {name}",
            f"{low} to {high} replicas, concurrency {target}",
            f"limit of {gpus} GPUs",
        ),
        checks=(
            identity("InferenceService", name),
            equals(
                "InferenceService", name, "spec.predictor.model.storageUri", f"pvc://{claim}/model"
            ),
            equals("InferenceService", name, "spec.predictor.minReplicas", low),
            equals("InferenceService", name, "spec.predictor.maxReplicas", high),
            equals("InferenceService", name, "spec.predictor.scaleMetric", "concurrency"),
            equals("InferenceService", name, "spec.predictor.scaleTarget", target),
            equals(
                "InferenceService",
                name,
                'spec.predictor.model.resources.limits."nvidia.com/gpu"',
                gpus,
            ),
        ),
        variant=isvc(name, model("pytorch", f"pvc://{claim}/model") + limits + scaling),
        habits=(
            ("        limits:", "        requests:"),
            ("scaleMetric: concurrency", "scaleMetric: requests"),
        ),
    )


@family("custom-predictor", difficulty=2)
def custom_predictor(draw: Draw) -> Draft:
    name, image, port = draw.name(), f"registry.example.com/{draw.name()}:1.2", draw.port()
    body = f"    containers:\n      - name: kserve-container\n        image: {image}\n        ports:\n          - containerPort: {port}\n"
    answer = isvc(name, body)
    return Draft(
        wordings=(
            f"Write a KServe InferenceService {name} with a custom predictor container from {image} on port {port}.",
            f"isvc {name}: own container {image}, containerPort {port}",
            f"Our model server {image} listens on {port}. Run it as the predictor of the KServe service {name}.",
        ),
        answer=answer,
        reasoning=(
            f"InferenceService {name}",
            f"container kserve-container of {image}, port {port}",
        ),
        checks=(
            identity("InferenceService", name),
            contains("InferenceService", name, "spec.predictor.containers[].image", image),
            contains(
                "InferenceService", name, "spec.predictor.containers[].ports[].containerPort", port
            ),
        ),
        variant=answer.replace(
            f"- containerPort: {port}", f"- name: http1\n            containerPort: {port}"
        ),
        habits=(ALPHA, ("    containers:\n      - name", "    custom:\n      - name")),
    )


@family("trained-model", difficulty=1)
def trained_model(draw: Draw) -> Draft:
    name, server, bucket, memory = (
        draw.name(),
        draw.name(),
        draw.word(),
        draw.choice(("512Mi", "1Gi", "2Gi", "4Gi")),
    )
    spec = f"  inferenceService: {server}\n  model:\n    framework: pytorch\n    storageUri: gs://{bucket}/m\n    memory: {memory}\n"
    answer = crd("serving.kserve.io/v1alpha1", "TrainedModel", name, spec)
    return Draft(
        wordings=(
            f"Add the pytorch model gs://{bucket}/m to the KServe service {server} as the TrainedModel {name} with {memory} of memory.",
            f"TrainedModel {name} on {server}: pytorch gs://{bucket}/m, memory {memory}",
            f"Write a KServe TrainedModel {name}: it belongs to {server}, needs {memory} and is the pytorch model at gs://{bucket}/m.",
        ),
        answer=answer,
        reasoning=(f"TrainedModel {name} of {server}", f"pytorch from gs://{bucket}/m, {memory}"),
        checks=(
            identity("TrainedModel", name),
            equals("TrainedModel", name, "spec.inferenceService", server),
            equals("TrainedModel", name, "spec.model.framework", "pytorch"),
            equals("TrainedModel", name, "spec.model.storageUri", f"gs://{bucket}/m"),
            equals("TrainedModel", name, "spec.model.memory", memory),
        ),
        variant=answer.replace(
            f"framework: pytorch\n    storageUri: gs://{bucket}/m",
            f"storageUri: gs://{bucket}/m\n    framework: pytorch",
        ),
        habits=(("inferenceService:", "service:"), ("v1alpha1", "v1beta1")),
    )


@family("inference-graph", difficulty=3)
def inference_graph(draw: Draw) -> Draft:
    name, first, second, share = (
        draw.name(),
        draw.name(),
        draw.name(),
        draw.choice((60, 70, 80, 90)),
    )

    def step(service: str, weight: int) -> str:
        return f"        - serviceName: {service}\n          weight: {weight}\n"

    head = "  nodes:\n    root:\n      routerType: Splitter\n      steps:\n"
    api = ("serving.kserve.io/v1alpha1", "InferenceGraph", name)
    answer = crd(*api, head + step(first, share) + step(second, 100 - share))
    return Draft(
        wordings=(
            f"Write a KServe InferenceGraph {name} whose root splits the traffic: {share} % to {first}, the other {100 - share} % to {second}.",
            f"InferenceGraph {name}: Splitter root, {first} {share}, {second} {100 - share}",
            f"Requests to the inference graph {name} are split at its root: weight {share} for {first} and {100 - share} for {second}.",
        ),
        answer=answer,
        reasoning=(
            f"InferenceGraph {name} with a Splitter root",
            f"{first} {share}, {second} {100 - share}",
        ),
        checks=(
            identity("InferenceGraph", name),
            equals("InferenceGraph", name, "spec.nodes.root.routerType", "Splitter"),
            contains(
                "InferenceGraph",
                name,
                "spec.nodes.root.steps",
                {"serviceName": first, "weight": share},
            ),
            contains(
                "InferenceGraph",
                name,
                "spec.nodes.root.steps",
                {"serviceName": second, "weight": 100 - share},
            ),
        ),
        variant=crd(*api, head + step(second, 100 - share) + step(first, share)),
        habits=(("    root:", "    main:"), ("routerType: Splitter", "type: Splitter")),
    )


@family("graph-of-services", difficulty=4)
def graph_of_services(draw: Draw) -> Draft:
    name, first, second, bucket = draw.name(), draw.name(), draw.name(), draw.word()
    graph = crd(
        "serving.kserve.io/v1alpha1",
        "InferenceGraph",
        name,
        "  nodes:\n    root:\n      routerType: Sequence\n      steps:\n"
        f"        - serviceName: {first}\n        - serviceName: {second}\n          data: $response\n",
    )
    parts = [
        isvc(first, model("sklearn", f"s3://{bucket}/pre")),
        isvc(second, model("xgboost", f"s3://{bucket}/main")),
        graph,
    ]
    return Draft(
        wordings=(
            f"Two KServe services, {first} (sklearn, s3://{bucket}/pre) and {second} (xgboost, s3://{bucket}/main), and the InferenceGraph "
            f"{name} that calls them one after the other and hands the response on.",
            f"kserve: {first} sklearn s3://{bucket}/pre; {second} xgboost s3://{bucket}/main; graph {name}: Sequence {first} -> {second} ($response)",
            f"Build a KServe pipeline called {name}.\n---\n{first}: sklearn, s3://{bucket}/pre\n{second}: xgboost, s3://{bucket}/main, gets the response "
            f"of {first}\n{name}: InferenceGraph with a Sequence at its root",
        ),
        answer="---\n".join(parts),
        reasoning=(
            f"InferenceService {first}: sklearn",
            f"InferenceService {second}: xgboost",
            f"InferenceGraph {name}: a Sequence",
        ),
        checks=(
            identity("InferenceGraph", name),
            equals("InferenceGraph", name, "spec.nodes.root.routerType", "Sequence"),
            equals("InferenceGraph", name, "spec.nodes.root.steps[].serviceName", [first, second]),
            equals("InferenceGraph", name, "spec.nodes.root.steps[1].data", "$response"),
            equals(
                "InferenceService", first, "spec.predictor.model.storageUri", f"s3://{bucket}/pre"
            ),
            equals(
                "InferenceService", second, "spec.predictor.model.storageUri", f"s3://{bucket}/main"
            ),
            references("InferenceGraph", name, "spec.nodes", "InferenceService", first),
            references("InferenceGraph", name, "spec.nodes", "InferenceService", second),
        ),
        variant="---\n".join(reversed(parts)),
        habits=(
            (f"- serviceName: {first}\n", f"- nodeName: {first}\n"),
            ("          data: $response\n", ""),
        ),
    )


@family("llm", difficulty=2, held_out=True)
def llm(draw: Draw) -> Draft:
    name, org, tensor, replicas = (
        draw.name(),
        draw.word(),
        draw.choice((2, 4, 8)),
        draw.integer(1, 6),
    )
    spec = f"  model:\n    uri: hf://{org}/model-7b\n  replicas: {replicas}\n  parallelism:\n    tensor: {tensor}\n"
    answer = crd("serving.kserve.io/v1alpha2", "LLMInferenceService", name, spec)
    return Draft(
        wordings=(
            f"Write a KServe LLMInferenceService {name} for hf://{org}/model-7b with {replicas} replicas and tensor parallelism {tensor}.",
            f"LLMInferenceService {name}: hf://{org}/model-7b, replicas {replicas}, tensor {tensor}",
            f"Serve hf://{org}/model-7b as the LLMInferenceService {name}, {replicas} times, each over {tensor} GPUs (tensor parallel).",
        ),
        answer=answer,
        reasoning=(
            f"LLMInferenceService {name} of hf://{org}/model-7b",
            f"{replicas} replicas, tensor {tensor}",
        ),
        checks=(
            identity("LLMInferenceService", name),
            equals("LLMInferenceService", name, "spec.model.uri", f"hf://{org}/model-7b"),
            equals("LLMInferenceService", name, "spec.replicas", replicas),
            equals("LLMInferenceService", name, "spec.parallelism.tensor", tensor),
        ),
        variant=answer.replace("v1alpha2", "v1alpha1").replace(f"  replicas: {replicas}\n", "")
        + f"  replicas: {replicas}\n",
        habits=(("    uri:", "    storageUri:"), ("    tensor:", "    tensorParallelSize:")),
    )
