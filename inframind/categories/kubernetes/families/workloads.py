"""Task families of a workload, or of the Service or ConfigMap beside it."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, contains, equals, identity

FAMILIES = Families("kubernetes")
family = FAMILIES.family

IMAGES = (
    "nginx:1.27",
    "redis:7.4",
    "httpd:2.4",
    "python:3.12-slim",
    "node:22-alpine",
    "busybox:1.36",
    "golang:1.24",
)
SCHEDULES = (
    "0 * * * *",
    "*/5 * * * *",
    "0 2 * * *",
    "30 4 * * 0",
    "0 0 1 * *",
    "15 6 * * 1",
    "*/15 * * * *",
)
CONTAINERS = "spec.template.spec.containers[0]"
OLD_DEPLOYMENT = ("apiVersion: apps/v1\n", "apiVersion: extensions/v1beta1\n")


def workload(kind: str, name: str, head: str, container: str, api: str = "apps/v1") -> str:
    """A Deployment, DaemonSet or StatefulSet whose selector and labels agree."""
    return (
        f"apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: {name}\nspec:\n{head}"
        f"  selector:\n    matchLabels:\n      app: {name}\n  template:\n    metadata:\n      labels:\n        app: {name}\n"
        f"    spec:\n      containers:\n        - name: {name}\n{container}"
    )


def no_selector(name: str) -> tuple[str, str]:
    """The habit from the time when the selector was optional."""
    return (f"  selector:\n    matchLabels:\n      app: {name}\n", "")


@family("deployment", difficulty=1)
def deployment(draw: Draw) -> Draft:
    name, image, replicas = draw.name(), draw.choice(IMAGES), draw.integer(2, 9)
    answer = workload(
        "Deployment", name, f"  replicas: {replicas}\n", f"          image: {image}\n"
    )
    return Draft(
        wordings=(
            f"Create a Kubernetes Deployment named {name} running {image} with {replicas} replicas.",
            f"k8s deployment {name}, image {image}, {replicas} replicas",
            f"We need {replicas} copies of {image} on our cluster. Write the Deployment and call it {name}.",
        ),
        answer=answer,
        reasoning=(
            f"Deployment {name}, {replicas} replicas of {image}",
            "apps/v1 with a selector that matches the labels",
        ),
        checks=(
            identity("Deployment", name),
            equals("Deployment", name, "spec.replicas", replicas),
            equals("Deployment", name, f"{CONTAINERS}.image", image),
        ),
        variant=answer.replace(f"app: {name}", f"run: {name}").replace(
            f"- name: {name}", "- name: main"
        ),
        habits=(OLD_DEPLOYMENT, no_selector(name)),
    )


@family("deployment-port", difficulty=1)
def deployment_port(draw: Draw) -> Draft:
    name, image, port = draw.name(), draw.choice(IMAGES), draw.port()
    container = f"          image: {image}\n          ports:\n            - containerPort: {port}\n"
    answer = workload("Deployment", name, "", container)
    return Draft(
        wordings=(
            f"Write a Deployment {name} from image {image} that exposes container port {port}.",
            f"deployment {name}: {image}, containerPort {port}",
            f"Run {image} as a Kubernetes Deployment called {name}; the container listens on port {port}.",
        ),
        answer=answer,
        reasoning=(f"Deployment {name} of {image}", f"containerPort {port}"),
        checks=(
            identity("Deployment", name),
            equals("Deployment", name, f"{CONTAINERS}.image", image),
            contains("Deployment", name, f"{CONTAINERS}.ports[].containerPort", port),
        ),
        variant=answer.replace(
            f"- containerPort: {port}", f"- name: main\n              containerPort: {port}"
        ),
        habits=(OLD_DEPLOYMENT, ("containerPort:", "port:")),
    )


@family("deployment-resources", difficulty=2)
def deployment_resources(draw: Draw) -> Draft:
    name, image = draw.name(), draw.choice(IMAGES)
    cpu, memory = (
        f"{draw.number(50, 950, 10)}m",
        draw.choice(("64Mi", "128Mi", "256Mi", "512Mi", "1Gi", "2Gi")),
    )
    container = f"          image: {image}\n          resources:\n            limits:\n              cpu: {cpu}\n              memory: {memory}\n"
    answer = workload("Deployment", name, "", container)
    return Draft(
        wordings=(
            f"Create a Deployment {name} with image {image} and limits of {cpu} CPU and {memory} memory.",
            f"deployment {name} {image}, limits cpu {cpu} memory {memory}",
            f"The pods of {name} ({image}) may use at most {cpu} of CPU and {memory} of memory. Write the Deployment.",
        ),
        answer=answer,
        reasoning=(f"Deployment {name} of {image}", f"limits cpu {cpu}, memory {memory}"),
        checks=(
            identity("Deployment", name),
            equals("Deployment", name, f"{CONTAINERS}.image", image),
            equals("Deployment", name, f"{CONTAINERS}.resources.limits.cpu", cpu),
            equals("Deployment", name, f"{CONTAINERS}.resources.limits.memory", memory),
        ),
        variant=answer.replace(
            "limits:\n", "requests:\n              cpu: 10m\n            limits:\n"
        ),
        habits=(OLD_DEPLOYMENT, ("limits:", "limit:")),
    )


@family("service", difficulty=1)
def service(draw: Draw) -> Draft:
    name, kind = draw.name(), draw.choice(("ClusterIP", "NodePort", "LoadBalancer"))
    port, target = draw.port(), draw.port()
    answer = (
        f"apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\nspec:\n  type: {kind}\n  selector:\n    app: {name}\n"
        f"  ports:\n    - port: {port}\n      targetPort: {target}\n"
    )
    return Draft(
        wordings=(
            f"Create a {kind} Service {name} that maps port {port} to target port {target} of the pods labelled app={name}.",
            f"service {name}, type {kind}, {port} -> {target}, selector app: {name}",
            f"Expose the pods with the label app={name} through a {kind} Service called {name}: port {port}, target port {target}.",
        ),
        answer=answer,
        reasoning=(f"Service {name} of type {kind}", f"port {port} to targetPort {target}"),
        checks=(
            identity("Service", name),
            equals("Service", name, "spec.type", kind),
            equals("Service", name, "spec.selector.app", name),
            equals("Service", name, "spec.ports[0].port", port),
            equals("Service", name, "spec.ports[0].targetPort", target),
        ),
        variant=answer.replace(
            f"- port: {port}", f"- name: main\n      protocol: TCP\n      port: {port}"
        ),
        habits=(
            ("targetPort", "target_port"),
            ("selector:\n    app:", "selector:\n    matchLabels:\n      app:"),
        ),
    )


@family("configmap", difficulty=1)
def configmap(draw: Draw) -> Draft:
    name, key, value = (
        draw.name(),
        draw.choice(("LOG_LEVEL", "MODE", "REGION", "TIER", "PROFILE")),
        draw.word(),
    )
    answer = (
        f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  {key}: {value}\n"
    )
    return Draft(
        wordings=(
            f"Create a ConfigMap {name} with {key} set to {value}.",
            f"configmap {name}: {key}={value}",
            f"Write a Kubernetes ConfigMap called {name} that holds the entry {key} with the value {value}.",
        ),
        answer=answer,
        reasoning=(f"ConfigMap {name}", f"data {key}: {value}"),
        checks=(identity("ConfigMap", name), equals("ConfigMap", name, f"data.{key}", value)),
        variant=answer.replace(f"{key}: {value}", f'{key}: "{value}"'),
        habits=(("data:\n", "spec:\n  data:\n  "), ("kind: ConfigMap", "kind: Configmap")),
    )


@family("cronjob", difficulty=2)
def cronjob(draw: Draw) -> Draft:
    name, image, schedule = draw.name(), draw.choice(IMAGES), draw.choice(SCHEDULES)
    answer = (
        f'apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: {name}\nspec:\n  schedule: "{schedule}"\n'
        "  jobTemplate:\n    spec:\n      template:\n        spec:\n          restartPolicy: OnFailure\n"
        f"          containers:\n            - name: {name}\n              image: {image}\n"
    )
    return Draft(
        wordings=(
            f'Create a CronJob {name} that runs {image} on the schedule "{schedule}".',
            f"cronjob {name}, image {image}, schedule {schedule}",
            f"Run {image} in the cluster by cron ({schedule}). The CronJob is called {name}.",
        ),
        answer=answer,
        reasoning=(f"CronJob {name} in batch/v1", f"schedule {schedule}, image {image}"),
        checks=(
            identity("CronJob", name),
            equals("CronJob", name, "spec.schedule", schedule),
            equals(
                "CronJob", name, "spec.jobTemplate.spec.template.spec.containers[0].image", image
            ),
        ),
        variant=answer.replace("OnFailure", "Never").replace(f"- name: {name}", "- name: task"),
        habits=(("batch/v1\n", "batch/v1beta1\n"), ("          restartPolicy: OnFailure\n", "")),
    )


@family("job", difficulty=1)
def job(draw: Draw) -> Draft:
    name, image, limit = draw.name(), draw.choice(IMAGES), draw.integer(1, 6)
    answer = (
        f"apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {name}\nspec:\n  backoffLimit: {limit}\n  template:\n    spec:\n"
        f"      restartPolicy: Never\n      containers:\n        - name: {name}\n          image: {image}\n"
    )
    return Draft(
        wordings=(
            f"Create a Kubernetes Job {name} that runs {image} with a backoff limit of {limit}.",
            f"job {name}: {image}, backoffLimit {limit}",
            f"Write a one-off Job called {name} for {image}. It may be retried {limit} times (backoffLimit).",
        ),
        answer=answer,
        reasoning=(f"Job {name} of {image}", f"backoffLimit {limit}, restartPolicy Never"),
        checks=(
            identity("Job", name),
            equals("Job", name, "spec.backoffLimit", limit),
            equals("Job", name, f"{CONTAINERS}.image", image),
        ),
        variant=answer.replace("Never", "OnFailure"),
        habits=(
            ("      restartPolicy: Never\n", ""),
            ("restartPolicy: Never", "restartPolicy: Always"),
        ),
    )
