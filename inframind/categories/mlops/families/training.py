"""Task families for Kubeflow: training jobs, experiments, notebooks."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, contains, equals, identity
from inframind.categories.mlops.families.base import CONTAINER, crd, family, pod

BASES = (
    "python:3.12-slim",
    "pytorch/pytorch:2.5.1",
    "tensorflow/tensorflow:2.18.0",
    "nvidia/cuda:12.6.0",
)


@family("pytorch-job", difficulty=2)
def pytorch_job(draw: Draw) -> Draft:
    name, image, workers = (
        draw.name(),
        f"registry.example.com/{draw.name()}:1.0",
        draw.integer(2, 8),
    )

    def replica(kind: str, count: int) -> str:
        return f"    {kind}:\n      replicas: {count}\n      restartPolicy: OnFailure\n" + pod(
            "pytorch", image, 6
        )

    head = "  pytorchReplicaSpecs:\n"
    answer = crd(
        "kubeflow.org/v1",
        "PyTorchJob",
        name,
        head + replica("Master", 1) + replica("Worker", workers),
    )
    return Draft(
        wordings=(
            f"Write a Kubeflow PyTorchJob {name} with one master and {workers} workers of {image}, restarted on failure.",
            f"PyTorchJob {name}: {image}, 1 master, {workers} workers, restartPolicy OnFailure",
            f"Train with {image} on Kubeflow: the PyTorchJob {name} has a master and {workers} workers (OnFailure).",
        ),
        answer=answer,
        reasoning=(
            f"PyTorchJob {name}",
            f"1 Master and {workers} Workers of {image}",
            "containers are called pytorch",
        ),
        checks=(
            identity("PyTorchJob", name),
            equals("PyTorchJob", name, "spec.pytorchReplicaSpecs.Master.replicas", 1),
            equals("PyTorchJob", name, "spec.pytorchReplicaSpecs.Worker.replicas", workers),
            equals("PyTorchJob", name, f"spec.pytorchReplicaSpecs.Worker.{CONTAINER}.image", image),
            equals("PyTorchJob", name, f"spec.pytorchReplicaSpecs.Master.{CONTAINER}.image", image),
            equals(
                "PyTorchJob", name, "spec.pytorchReplicaSpecs.Worker.restartPolicy", "OnFailure"
            ),
        ),
        variant=crd(
            "kubeflow.org/v1",
            "PyTorchJob",
            name,
            head + replica("Worker", workers) + replica("Master", 1),
        ),
        habits=(
            ("- name: pytorch", "- name: main"),
            ("kubeflow.org/v1\n", "kubeflow.org/v1beta2\n"),
        ),
    )


@family("mpi-job", difficulty=3, held_out=True)
def mpi_job(draw: Draw) -> Draft:
    name, image, workers, slots = (
        draw.name(),
        f"registry.example.com/{draw.word()}:2.1",
        draw.integer(2, 8),
        draw.integer(1, 4),
    )
    limit = " " * 14 + f"resources:\n{' ' * 16}limits:\n{' ' * 18}nvidia.com/gpu: {slots}\n"
    spec = (
        f"  slotsPerWorker: {slots}\n  mpiReplicaSpecs:\n    Launcher:\n      replicas: 1\n{pod('launcher', image, 6)}"
        f"    Worker:\n      replicas: {workers}\n{pod('worker', image, 6, limit)}"
    )
    answer = crd("kubeflow.org/v2beta1", "MPIJob", name, spec)
    return Draft(
        wordings=(
            f"Write an MPIJob {name} (v2beta1) with a launcher and {workers} workers of {image}; each worker has {slots} slots and {slots} GPUs.",
            f"MPIJob {name}: {image}, {workers} workers, slotsPerWorker {slots}, nvidia.com/gpu {slots}",
            f"Horovod runs from {image}: MPIJob {name} in v2beta1, one launcher, {workers} workers with {slots} slots and as many GPUs.",
        ),
        answer=answer,
        reasoning=(
            f"MPIJob {name}, slotsPerWorker {slots}",
            f"1 Launcher, {workers} Workers",
            f"limit of {slots} GPUs",
        ),
        checks=(
            identity("MPIJob", name, apiVersion="kubeflow.org/v2beta1"),
            equals("MPIJob", name, "spec.slotsPerWorker", slots),
            equals("MPIJob", name, "spec.mpiReplicaSpecs.Worker.replicas", workers),
            equals("MPIJob", name, f"spec.mpiReplicaSpecs.Worker.{CONTAINER}.image", image),
            equals("MPIJob", name, f"spec.mpiReplicaSpecs.Launcher.{CONTAINER}.image", image),
            equals(
                "MPIJob",
                name,
                f'spec.mpiReplicaSpecs.Worker.{CONTAINER}.resources.limits."nvidia.com/gpu"',
                slots,
            ),
        ),
        variant=answer.replace("    Launcher:\n      replicas: 1\n", "    Launcher:\n"),
        habits=(("    Launcher:", "    Master:"), (f"  slotsPerWorker: {slots}\n", "")),
    )


@family("train-job", difficulty=1)
def train_job(draw: Draw) -> Draft:
    name, runtime, nodes = (
        draw.name(),
        draw.choice(("torch-distributed", "deepspeed-distributed", "mlx-distributed")),
        draw.integer(2, 8),
    )
    image = f"registry.example.com/{draw.word()}:1.0"
    spec = f"  runtimeRef:\n    name: {runtime}\n  trainer:\n    image: {image}\n    numNodes: {nodes}\n"
    answer = crd("trainer.kubeflow.org/v1alpha1", "TrainJob", name, spec)
    return Draft(
        wordings=(
            f"Write a Kubeflow TrainJob {name} on the runtime {runtime} with {nodes} nodes of {image}.",
            f"TrainJob {name}: runtime {runtime}, image {image}, numNodes {nodes}",
            f"Kubeflow Trainer v2: run {image} on {nodes} nodes of the runtime {runtime}; the job is called {name}.",
        ),
        answer=answer,
        reasoning=(f"TrainJob {name}, runtime {runtime}", f"{nodes} nodes of {image}"),
        checks=(
            identity("TrainJob", name),
            equals("TrainJob", name, "spec.runtimeRef.name", runtime),
            equals("TrainJob", name, "spec.trainer.numNodes", nodes),
            equals("TrainJob", name, "spec.trainer.image", image),
        ),
        variant=answer.replace(
            f"    name: {runtime}\n", f"    kind: ClusterTrainingRuntime\n    name: {runtime}\n"
        ),
        habits=(("trainer.kubeflow.org", "kubeflow.org"), ("numNodes", "replicas")),
    )


@family("experiment", difficulty=4)
def experiment(draw: Draw) -> Draft:
    name, image, trials, algorithm = (
        draw.name(),
        f"registry.example.com/{draw.word()}:1.0",
        draw.integer(6, 9),
        draw.choice(("random", "tpe", "grid")),
    )
    metric, low, high = (
        draw.choice(("accuracy", "f1", "auc")),
        "0.001",
        draw.choice(("0.02", "0.03", "0.05")),
    )
    spec = (
        f"  objective:\n    type: maximize\n    objectiveMetricName: {metric}\n  algorithm:\n    algorithmName: {algorithm}\n"
        f"  maxTrialCount: {trials}\n  parallelTrialCount: 2\n  parameters:\n    - name: lr\n      parameterType: double\n"
        f'      feasibleSpace:\n        min: "{low}"\n        max: "{high}"\n  trialTemplate:\n    primaryContainerName: training\n'
        "    trialParameters:\n      - name: learningRate\n        reference: lr\n    trialSpec:\n      apiVersion: batch/v1\n      kind: Job\n"
        f"      spec:\n{pod('training', image, 8)}"
        f'{" " * 16}command: ["python", "train.py", "--lr=${{trialParameters.learningRate}}"]\n{" " * 12}restartPolicy: Never\n'
    )
    answer = crd("kubeflow.org/v1beta1", "Experiment", name, spec)
    return Draft(
        wordings=(
            f"Write a Katib Experiment {name} that maximizes {metric} over lr ({low} to {high}) by {algorithm} search, {trials} trials, 2 at once. "
            f"A trial is a Job of {image} that runs train.py with --lr.",
            f"katib {name}: maximize {metric}, {algorithm}, lr double {low}..{high}, max {trials}, parallel 2, Job {image} python train.py --lr=",
            f"Tune the learning rate with Katib.\n---\nname: {name}\nmaximize: {metric}\nalgorithm: {algorithm}\nlr: double, {low} to {high}\n"
            f"trials: {trials}, 2 in parallel\ntrial: batch Job of {image}, python train.py --lr=<value>",
        ),
        answer=answer,
        reasoning=(
            f"Experiment {name}: maximize {metric}",
            f"{algorithm}, lr from {low} to {high}",
            "trial parameter learningRate refers to lr",
        ),
        checks=(
            identity("Experiment", name),
            equals("Experiment", name, "spec.objective.type", "maximize"),
            equals("Experiment", name, "spec.objective.objectiveMetricName", metric),
            equals("Experiment", name, "spec.algorithm.algorithmName", algorithm),
            equals("Experiment", name, "spec.maxTrialCount", trials),
            equals("Experiment", name, "spec.parallelTrialCount", 2),
            equals(
                "Experiment",
                name,
                "spec.parameters[?name == 'lr'] | [0].feasibleSpace",
                {"min": low, "max": high},
            ),
            contains("Experiment", name, "spec.trialTemplate.trialParameters[].reference", "lr"),
            contains(
                "Experiment", name, f"spec.trialTemplate.trialSpec.spec.{CONTAINER}.image", image
            ),
        ),
        variant=answer.replace("learningRate", "rate"),
        habits=(
            ("reference: lr", "reference: learning_rate"),
            ("type: maximize", "goal: maximize"),
        ),
    )


@family("notebook", difficulty=1, held_out=True)
def notebook(draw: Draw) -> Draft:
    name, image, memory = draw.name(), draw.choice(BASES), draw.choice(("2Gi", "4Gi", "6Gi"))
    limit = f"          resources:\n            limits:\n              memory: {memory}\n"
    answer = crd("kubeflow.org/v1", "Notebook", name, pod(name, image, 2, limit))
    return Draft(
        wordings=(
            f"Write a Kubeflow Notebook {name} from {image} with a memory limit of {memory}.",
            f"kubeflow notebook {name}, image {image}, memory limit {memory}",
            f"Somebody needs a Kubeflow notebook: {name}, image {image}, at most {memory} of memory.",
        ),
        answer=answer,
        reasoning=(f"Notebook {name} of {image}", f"memory limit {memory}"),
        checks=(
            identity("Notebook", name),
            equals("Notebook", name, f"spec.{CONTAINER}.image", image),
            equals("Notebook", name, f"spec.{CONTAINER}.resources.limits.memory", memory),
        ),
        variant=answer.replace("kubeflow.org/v1\n", "kubeflow.org/v1beta1\n"),
        habits=(("kubeflow.org/v1\n", "kubeflow.org/v1alpha2\n"), ("limits:", "limit:")),
    )
