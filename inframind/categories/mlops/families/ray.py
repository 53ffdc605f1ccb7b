"""Task families for Ray on Kubernetes."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, contains, equals, identity, references
from inframind.categories.mlops.families.base import crd, family, pod

IMAGES = ("rayproject/ray:2.46.0", "rayproject/ray:2.44.1", "rayproject/ray-ml:2.40.0")
API = "ray.io/v1"
OLD = ("ray.io/v1\n", "ray.io/v1alpha1\n")


def head(image: str, indent: int) -> str:
    """A head group."""
    space = " " * indent
    return (
        f'{space}headGroupSpec:\n{space}  rayStartParams:\n{space}    dashboard-host: "0.0.0.0"\n'
        + pod("ray-head", image, indent + 2)
    )


def group(name: str, low: int, high: int, image: str, indent: int) -> str:
    """A worker group as a list item."""
    space = " " * indent
    bounds = f"{space}  replicas: {low}\n{space}  minReplicas: {low}\n{space}  maxReplicas: {high}\n{space}  rayStartParams: {{}}\n"
    return f"{space}- groupName: {name}\n{bounds}" + pod("ray-worker", image, indent + 2)


@family("ray-cluster", difficulty=2)
def ray_cluster(draw: Draw) -> Draft:
    name, workers, image, low, high = (
        draw.name(),
        draw.name(),
        draw.choice(IMAGES),
        draw.integer(1, 3),
        draw.integer(4, 9),
    )
    worker = "  workerGroupSpecs:\n" + group(workers, low, high, image, 4)
    answer = crd(API, "RayCluster", name, head(image, 2) + worker)
    return Draft(
        wordings=(
            f"Write a RayCluster {name} of {image}: a head, and the worker group {workers} with {low} to {high} replicas.",
            f"raycluster {name}, {image}, group {workers} min {low} max {high}",
            f"We need Ray on Kubernetes ({image}). Cluster {name}; its worker group {workers} scales from {low} to {high}.",
        ),
        answer=answer,
        reasoning=(f"RayCluster {name} of {image}", f"group {workers}: {low} to {high}"),
        checks=(
            identity("RayCluster", name),
            contains(
                "RayCluster", name, "spec.headGroupSpec.template.spec.containers[].image", image
            ),
            contains(
                "RayCluster",
                name,
                "spec.workerGroupSpecs",
                {"groupName": workers, "minReplicas": low, "maxReplicas": high},
            ),
            contains(
                "RayCluster",
                name,
                "spec.workerGroupSpecs[].template.spec.containers[].image",
                image,
            ),
        ),
        variant=crd(API, "RayCluster", name, worker + head(image, 2)),
        habits=(OLD, ("groupName:", "name:")),
    )


@family("autoscaled-cluster", difficulty=4)
def autoscaled_cluster(draw: Draw) -> Draft:
    name, first, second, image = draw.name(), draw.name(), draw.name(), draw.choice(IMAGES)
    seconds, high = draw.choice((120, 180, 240, 300)), draw.integer(3, 9)
    limit = f"{' ' * 14}resources:\n{' ' * 16}limits:\n{' ' * 18}nvidia.com/gpu: 1\n"
    groups = (
        "  workerGroupSpecs:\n"
        + group(first, 1, high, image, 4)
        + group(second, 1, 2, image, 4)
        + limit
    )
    scaler = f"  enableInTreeAutoscaling: true\n  autoscalerOptions:\n    idleTimeoutSeconds: {seconds}\n"
    answer = crd(API, "RayCluster", name, scaler + head(image, 2) + groups)
    return Draft(
        wordings=(
            f"A RayCluster {name} ({image}) with the in-tree autoscaler (idle timeout {seconds} s): group {first} 1 to {high}, "
            f"group {second} 1 to 2 with one nvidia.com/gpu each.",
            f"raycluster {name} {image}; autoscaling, idleTimeoutSeconds {seconds}; {first} 1-{high}; {second} 1-2, nvidia.com/gpu 1",
            f"Write the autoscaled RayCluster {name}.\n---\nimage: {image}\nidle timeout: {seconds} seconds\n{first}: 1 to {high}\n"
            f"{second}: 1 to 2, limit of 1 GPU (nvidia.com/gpu)",
        ),
        answer=answer,
        reasoning=(
            f"RayCluster {name}, in-tree autoscaling",
            f"{first}: 1 to {high}",
            f"{second}: 1 to 2, one GPU",
        ),
        checks=(
            identity("RayCluster", name),
            equals("RayCluster", name, "spec.enableInTreeAutoscaling", True),
            equals("RayCluster", name, "spec.autoscalerOptions.idleTimeoutSeconds", seconds),
            contains(
                "RayCluster", name, "spec.headGroupSpec.template.spec.containers[].image", image
            ),
            contains(
                "RayCluster",
                name,
                "spec.workerGroupSpecs",
                {"groupName": first, "minReplicas": 1, "maxReplicas": high},
            ),
            contains(
                "RayCluster",
                name,
                "spec.workerGroupSpecs",
                {"groupName": second, "minReplicas": 1, "maxReplicas": 2},
            ),
            equals(
                "RayCluster",
                name,
                f"spec.workerGroupSpecs[?groupName == '{second}'].template.spec.containers[0].resources.limits.\"nvidia.com/gpu\" | [0]",
                1,
            ),
        ),
        variant=crd(API, "RayCluster", name, head(image, 2) + groups + scaler),
        habits=(
            ("enableInTreeAutoscaling: true", 'enableInTreeAutoscaling: "true"'),
            ("idleTimeoutSeconds", "idleTimeoutMinutes"),
        ),
    )


@family("ray-job", difficulty=3)
def ray_job(draw: Draw) -> Draft:
    name, script, image, workers, high = (
        draw.name(),
        draw.identifier(),
        draw.choice(IMAGES),
        draw.name(),
        draw.integer(2, 6),
    )
    cluster = (
        "  rayClusterSpec:\n"
        + head(image, 4)
        + "    workerGroupSpecs:\n"
        + group(workers, 1, high, image, 6)
    )
    run = f"  entrypoint: python {script}.py\n  shutdownAfterJobFinishes: true\n"
    answer = crd(API, "RayJob", name, run + cluster)
    return Draft(
        wordings=(
            f"Write a RayJob {name} that runs `python {script}.py` on its own cluster of {image} (worker group {workers}, 1 to {high}) and "
            "shuts the cluster down afterwards.",
            f"rayjob {name}: python {script}.py, {image}, group {workers} 1-{high}, shutdownAfterJobFinishes",
            f"Run python {script}.py once on Ray: job {name}, image {image}, workers {workers} from 1 to {high}; delete the cluster when it is done.",
        ),
        answer=answer,
        reasoning=(
            f"RayJob {name}: python {script}.py",
            f"own cluster of {image}, group {workers}",
            "shutdownAfterJobFinishes",
        ),
        checks=(
            identity("RayJob", name),
            equals("RayJob", name, "spec.entrypoint", f"python {script}.py"),
            equals("RayJob", name, "spec.shutdownAfterJobFinishes", True),
            contains(
                "RayJob",
                name,
                "spec.rayClusterSpec.headGroupSpec.template.spec.containers[].image",
                image,
            ),
            contains(
                "RayJob",
                name,
                "spec.rayClusterSpec.workerGroupSpecs",
                {"groupName": workers, "minReplicas": 1, "maxReplicas": high},
            ),
        ),
        variant=crd(API, "RayJob", name, cluster + run),
        habits=(OLD, ("  rayClusterSpec:", "  rayClusterConfig:")),
    )


@family("job-on-cluster", difficulty=1)
def job_on_cluster(draw: Draw) -> Draft:
    name, cluster, script = draw.name(), draw.name(), draw.identifier()
    answer = crd(
        API,
        "RayJob",
        name,
        f"  entrypoint: python {script}.py\n  clusterSelector:\n    ray.io/cluster: {cluster}\n",
    )
    return Draft(
        wordings=(
            f"Write a RayJob {name} that runs `python {script}.py` on the running cluster {cluster}.",
            f"rayjob {name}: python {script}.py, clusterSelector ray.io/cluster={cluster}",
            f"The Ray cluster {cluster} is up already. Submit python {script}.py to it as the RayJob {name}.",
        ),
        answer=answer,
        reasoning=(f"RayJob {name}: python {script}.py", f"clusterSelector {cluster}"),
        checks=(
            identity("RayJob", name),
            equals("RayJob", name, "spec.entrypoint", f"python {script}.py"),
            equals("RayJob", name, 'spec.clusterSelector."ray.io/cluster"', cluster),
        ),
        variant=answer.replace(f"python {script}.py", f'"python {script}.py"'),
        habits=(OLD, ("clusterSelector:", "rayClusterSelector:")),
    )


@family("serve-and-batch", difficulty=5)
def serve_and_batch(draw: Draw) -> Draft:
    service, cluster, job, module, script = (
        draw.name(),
        draw.name(),
        draw.name(),
        draw.identifier(),
        draw.identifier(),
    )
    image, high = draw.choice(IMAGES), draw.integer(2, 6)
    config = f"  serveConfigV2: |\n    applications:\n      - name: app\n        import_path: {module}:app\n        route_prefix: /\n"
    parts = [
        crd(API, "RayService", service, config + "  rayClusterConfig:\n" + head(image, 4)),
        crd(
            API,
            "RayCluster",
            cluster,
            head(image, 2) + "  workerGroupSpecs:\n" + group("batch", 1, high, image, 4),
        ),
        crd(
            API,
            "RayJob",
            job,
            f"  entrypoint: python {script}.py\n  clusterSelector:\n    ray.io/cluster: {cluster}\n",
        ),
    ]
    return Draft(
        wordings=(
            f"One manifest for Ray ({image}): the RayService {service} serves {module}:app at /; the RayCluster {cluster} has the worker group "
            f"batch with 1 to {high} replicas; the RayJob {job} runs `python {script}.py` on {cluster}.",
            f"ray {image}: RayService {service} ({module}:app, route /); RayCluster {cluster} (batch 1-{high}); RayJob {job} on {cluster}: python {script}.py",
            f"Set up serving and batch on Ray.\n---\nimage: {image}\nservice: {service}, application {module}:app, prefix /\n"
            f"cluster: {cluster}, worker group batch from 1 to {high}\njob: {job}, python {script}.py, on that cluster",
        ),
        answer="---\n".join(parts),
        reasoning=(
            f"RayService {service}: {module}:app",
            f"RayCluster {cluster}: group batch",
            f"RayJob {job} selects {cluster}",
        ),
        checks=(
            identity("RayService", service),
            contains("RayService", service, "spec.serveConfigV2", f"import_path: {module}:app"),
            contains(
                "RayService",
                service,
                "spec.rayClusterConfig.headGroupSpec.template.spec.containers[].image",
                image,
            ),
            contains(
                "RayCluster",
                cluster,
                "spec.workerGroupSpecs",
                {"groupName": "batch", "minReplicas": 1, "maxReplicas": high},
            ),
            equals("RayJob", job, "spec.entrypoint", f"python {script}.py"),
            references("RayJob", job, "spec.clusterSelector", "RayCluster", cluster),
        ),
        variant="---\n".join(reversed(parts)),
        habits=(
            ("    applications:\n", "    deployments:\n"),
            (f"ray.io/cluster: {cluster}", f"cluster: {cluster}"),
        ),
    )
