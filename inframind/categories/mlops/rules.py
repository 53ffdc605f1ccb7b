"""The rules for MLOps texts: Kubernetes' own for objects, and those of what stands on it."""

from inframind.categories.base import Rule
from inframind.categories.kubernetes import rules as kubernetes
from inframind.categories.shared import rules as duties

KSERVE = "https://kserve.github.io/website/docs/"
KUBEFLOW = "https://www.kubeflow.org/docs/components/"
RAY = "https://docs.ray.io/en/latest/cluster/kubernetes/"
ARGO = "https://argo-workflows.readthedocs.io/en/latest/"
MLPROJECT = "https://mlflow.org/docs/latest/ml/projects/"
AWS = "https://docs.aws.amazon.com/sagemaker/latest/"
PIPELINE = (
    "https://aws-sagemaker-mlops.github.io/"
    "sagemaker-model-building-pipeline-definition-JSON-schema/"
)

PREDICTOR = duties.COMBINATION.rule(
    KSERVE + "concepts/architecture", "one implementation of a KServe component"
)
STORAGE_URI = duties.INVALID_VALUE.rule(
    KSERVE + "model-serving/storage/overview", "schemes that KServe fetches a model from"
)
SCALE = duties.INVERTED_BOUNDS.rule(
    KSERVE + "model-serving/storage/overview", "minReplicas and maxReplicas", rung="schema"
)
TRAFFIC = Rule(
    "traffic",
    "schema",
    "Traffic shares are percentages, and a splitter's sum to 100",
    KSERVE + "model-serving/inferencegraph/overview",
)
GRAPH = duties.UNDEFINED.rule(
    KSERVE + "model-serving/inferencegraph/overview", "the root and the nodes of an InferenceGraph"
)
STEP_TARGET = duties.COMBINATION.rule(
    KSERVE + "model-serving/inferencegraph/overview",
    "one target of a step of an InferenceGraph",
    rung="references",
)
REPLICA_TYPE = Rule(
    "replica-type",
    "schema",
    "A training job has the replica types of its framework",
    KUBEFLOW + "trainer/legacy-v1/overview/",
)
MAIN_CONTAINER = Rule(
    "main-container",
    "references",
    "Each replica has the container that its framework's controller looks for",
    KUBEFLOW + "trainer/legacy-v1/user-guides/pytorch/",
)
TRIAL = duties.UNDEFINED.rule(
    KUBEFLOW + "katib/user-guides/trial-template/",
    "trial parameters and search parameters name one another",
)
SEARCH = Rule(
    "search-space",
    "schema",
    "Objective, algorithm and feasible spaces are complete",
    KUBEFLOW + "katib/user-guides/hp-tuning/configure-experiment/",
)
DUPLICATE = duties.DUPLICATE.rule(
    RAY + "user-guides/config.html", "worker groups, templates, steps, variants"
)
CYCLE = duties.CYCLE.rule(ARGO + "walk-through/dag/", "tasks and steps of a pipeline")
WORKER_GROUP = duties.INVERTED_BOUNDS.rule(
    RAY + "user-guides/config.html", "replicas of a Ray worker group"
)
RAY_JOB = duties.COMBINATION.rule(
    RAY + "getting-started/rayjob-quick-start.html", "one cluster of a RayJob"
)
ENTRYPOINT = duties.MISSING_FIELD.rule(
    RAY + "getting-started/rayjob-quick-start.html", "a RayJob's entrypoint"
)
EMBEDDED = Rule(
    "embedded-yaml",
    "schema",
    "YAML inside a field is YAML of the form that Ray reads",
    RAY + "getting-started/rayservice-quick-start.html",
)
TEMPLATE = duties.UNDEFINED.rule(
    ARGO + "walk-through/dag/", "Argo templates, tasks and dependencies"
)
PARAMETER = duties.UNDEFINED.rule(ARGO + "walk-through/parameters/", "Argo parameters")
REQUEST = duties.WRONG_DOCUMENT.rule(
    AWS + "APIReference/API_Operations.html", "a SageMaker request or a pipeline definition"
)
SHAPE = duties.field_rules(AWS + "APIReference/API_Operations.html", "SageMaker's service model")
STEP = duties.UNKNOWN_TYPE.rule(PIPELINE, "steps of a SageMaker pipeline")
PIPELINE_REFERENCE = duties.UNDEFINED.rule(PIPELINE, "steps and parameters of a SageMaker pipeline")
CONTAINERS = duties.COMBINATION.rule(
    AWS + "APIReference/API_CreateModel.html",
    "one primary container of a SageMaker model, or a list",
    rung="references",
)
VARIANT = duties.COMBINATION.rule(
    AWS + "APIReference/API_ProductionVariant.html",
    "the size of a production variant",
    rung="references",
)

PROJECT = duties.field_rules(MLPROJECT, "an MLproject")
ENVIRONMENT = duties.COMBINATION.rule(MLPROJECT, "one environment of an MLproject")
PROJECT_PARAMETER = duties.UNDEFINED.rule(MLPROJECT, "parameters of an MLproject's commands")
NO_ACCELERATOR_LIMIT = Rule(
    "gpu-request",
    "policy",
    "GPUs are asked for in limits, not in requests alone",
    "https://kubernetes.io/docs/tasks/manage-gpus/scheduling-gpus/",
    "warning",
)
UNENCRYPTED = duties.UNENCRYPTED.rule(
    AWS + "dg/encryption-at-rest.html",
    "a KMS key of SageMaker's volumes and outputs",
    severity="info",
)
NETWORK = Rule(
    "no-isolation",
    "policy",
    "SageMaker jobs and models run in a VPC or in isolation",
    AWS + "dg/mkt-algo-model-internet-free.html",
    "info",
)

RULES = (*kubernetes.RULES, *duties.declared(vars()))
