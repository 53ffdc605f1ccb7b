"""The rules for MLOps texts: Kubernetes' own for every object in a manifest, and those of the custom resources."""

from inframind.categories.base import Rule
from inframind.categories.kubernetes.rules import RULES as KUBERNETES

KSERVE = "https://kserve.github.io/website/docs/"
KUBEFLOW = "https://www.kubeflow.org/docs/components/"
RAY = "https://docs.ray.io/en/latest/cluster/kubernetes/"
ARGO = "https://argo-workflows.readthedocs.io/en/latest/"
MLPROJECT = "https://mlflow.org/docs/latest/ml/projects/"
AWS = "https://docs.aws.amazon.com/sagemaker/latest/"
PIPELINE = "https://aws-sagemaker-mlops.github.io/sagemaker-model-building-pipeline-definition-JSON-schema/"

PREDICTOR = Rule(
    "one-predictor",
    "schema",
    "A KServe component has exactly one implementation",
    KSERVE + "concepts/architecture",
)
STORAGE_URI = Rule(
    "storage-uri",
    "schema",
    "A model's storage URI has a scheme that KServe fetches",
    KSERVE + "model-serving/storage/overview",
)
TRAFFIC = Rule(
    "traffic",
    "schema",
    "Traffic shares are percentages, and a splitter's sum to 100",
    KSERVE + "model-serving/inferencegraph/overview",
)
GRAPH = Rule(
    "graph",
    "references",
    "An InferenceGraph has a root, and its steps name nodes that exist",
    KSERVE + "model-serving/inferencegraph/overview",
)
REPLICA_TYPE = Rule(
    "replica-type",
    "schema",
    "A training job has the replica types of its framework",
    KUBEFLOW + "trainer/legacy-v1/overview/",
)
MAIN_CONTAINER = Rule(
    "main-container", "references", "Each replica has the container that its framework's controller looks for",
    KUBEFLOW + "trainer/legacy-v1/user-guides/pytorch/",
)  # fmt: skip
TRIAL = Rule(
    "trial-parameter", "references", "Trial parameters and search parameters name one another",
    KUBEFLOW + "katib/user-guides/trial-template/",
)  # fmt: skip
SEARCH = Rule(
    "search-space",
    "schema",
    "Objective, algorithm and feasible spaces are complete",
    KUBEFLOW + "katib/user-guides/hp-tuning/configure-experiment/",
)
WORKER_GROUP = Rule(
    "worker-group",
    "references",
    "Ray worker groups have unique names and bounds in order",
    RAY + "user-guides/config.html",
)
RAY_JOB = Rule(
    "ray-job",
    "schema",
    "A RayJob has an entrypoint and exactly one cluster",
    RAY + "getting-started/rayjob-quick-start.html",
)
EMBEDDED = Rule(
    "embedded-yaml",
    "schema",
    "YAML inside a field is YAML of the form that Ray reads",
    RAY + "getting-started/rayservice-quick-start.html",
)
TEMPLATE = Rule(
    "template",
    "references",
    "Argo templates, tasks and dependencies that are named exist",
    ARGO + "walk-through/dag/",
)
PARAMETER = Rule(
    "parameter",
    "references",
    "Argo parameters that are used are declared",
    ARGO + "walk-through/parameters/",
)

REQUEST = Rule(
    "request",
    "parse",
    "A JSON text is a SageMaker request or a pipeline definition",
    AWS + "APIReference/API_Operations.html",
)
SHAPE = Rule(
    "shape",
    "schema",
    "Fields, types and closed sets are those of SageMaker's service model",
    AWS + "APIReference/API_Operations.html",
)
STEP = Rule(
    "pipeline-step",
    "schema",
    "A pipeline step has a known type and that request's arguments",
    PIPELINE,
)
PIPELINE_REFERENCE = Rule(
    "pipeline-reference",
    "references",
    "Steps and parameters that a pipeline refers to exist, without cycles",
    PIPELINE,
)
CONTAINERS = Rule(
    "model-containers",
    "references",
    "A SageMaker model has either one primary container or a list",
    AWS + "APIReference/API_CreateModel.html",
)
VARIANT = Rule(
    "variant",
    "references",
    "Production variants have unique names and a size",
    AWS + "APIReference/API_ProductionVariant.html",
)

PROJECT = Rule(
    "project",
    "schema",
    "An MLproject has known fields, one environment and entry points with commands",
    MLPROJECT,
)
PROJECT_PARAMETER = Rule(
    "project-parameter",
    "references",
    "A command's {parameters} are declared, with known types",
    MLPROJECT,
)

NO_ACCELERATOR_LIMIT = Rule(
    "gpu-request", "policy", "GPUs are asked for in limits, not in requests alone",
    "https://kubernetes.io/docs/tasks/manage-gpus/scheduling-gpus/", "warning",
)  # fmt: skip
UNENCRYPTED = Rule(
    "unencrypted",
    "policy",
    "SageMaker volumes and outputs have a KMS key",
    AWS + "dg/encryption-at-rest.html",
    "info",
)
NETWORK = Rule(
    "no-isolation",
    "policy",
    "SageMaker jobs and models run in a VPC or in isolation",
    AWS + "dg/mkt-algo-model-internet-free.html",
    "info",
)

CUSTOM = (
    PREDICTOR, STORAGE_URI, TRAFFIC, GRAPH, REPLICA_TYPE, MAIN_CONTAINER, TRIAL, SEARCH, WORKER_GROUP, RAY_JOB, EMBEDDED, TEMPLATE,
    PARAMETER, REQUEST, SHAPE, STEP, PIPELINE_REFERENCE, CONTAINERS, VARIANT, PROJECT, PROJECT_PARAMETER, NO_ACCELERATOR_LIMIT,
    UNENCRYPTED, NETWORK,
)  # fmt: skip
RULES = (*KUBERNETES, *CUSTOM)
