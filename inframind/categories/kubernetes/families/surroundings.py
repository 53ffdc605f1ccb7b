"""Task families of what surrounds workloads: storage, scaling, access, limits."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, contains, equals, identity, references
from inframind.categories.kubernetes.families.workloads import (
    CONTAINERS,
    IMAGES,
    OLD_DEPLOYMENT,
    workload,
)

FAMILIES = Families("kubernetes")
family = FAMILIES.family


@family("namespace", difficulty=1)
def namespace(draw: Draw) -> Draft:
    name, team = draw.name(), draw.word()
    answer = (
        f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n  labels:\n    team: {team}\n"
    )
    return Draft(
        wordings=(
            f"Create a namespace {name} with the label team={team}.",
            f"namespace {name}, label team: {team}",
            f"Team {team} needs its own Kubernetes namespace. Name it {name} and label it with team={team}.",
        ),
        answer=answer,
        reasoning=(f"Namespace {name}", f"label team: {team}"),
        checks=(
            identity("Namespace", name),
            equals("Namespace", name, "metadata.labels.team", team),
        ),
        variant=answer.replace(f"team: {team}", f'"team": "{team}"'),
        habits=(("  labels:\n    team:", "labels:\n  team:"), ("labels:", "label:")),
    )


@family("persistent-volume-claim", difficulty=1)
def persistent_volume_claim(draw: Draw) -> Draft:
    name, size, mode = (
        draw.name(),
        f"{draw.number(3, 900)}Gi",
        draw.choice(("ReadWriteOnce", "ReadWriteMany")),
    )
    answer = (
        f"apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: {name}\nspec:\n  accessModes:\n    - {mode}\n"
        f"  resources:\n    requests:\n      storage: {size}\n"
    )
    return Draft(
        wordings=(
            f"Create a PersistentVolumeClaim {name} of {size} with access mode {mode}.",
            f"pvc {name} {size} {mode}",
            f"Claim {size} of storage for us. The claim is called {name} and its access mode is {mode}.",
        ),
        answer=answer,
        reasoning=(f"PersistentVolumeClaim {name}", f"{mode}, storage {size}"),
        checks=(
            identity("PersistentVolumeClaim", name),
            contains("PersistentVolumeClaim", name, "spec.accessModes", mode),
            equals("PersistentVolumeClaim", name, "spec.resources.requests.storage", size),
        ),
        variant=answer.replace(f"accessModes:\n    - {mode}", f"accessModes: [{mode}]"),
        habits=(
            (f"accessModes:\n    - {mode}", f"accessMode: {mode}"),
            ("    requests:\n      storage:", "    storage:"),
        ),
    )


@family("autoscaler", difficulty=2)
def autoscaler(draw: Draw) -> Draft:
    name, low, high, share = (
        draw.name(),
        draw.integer(1, 4),
        draw.integer(5, 12),
        draw.choice((50, 60, 70, 75, 80)),
    )
    metrics = (
        "  metrics:\n    - type: Resource\n      resource:\n        name: cpu\n        target:\n          type: Utilization\n"
        f"          averageUtilization: {share}\n"
    )
    answer = (
        f"apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata:\n  name: {name}\nspec:\n  scaleTargetRef:\n"
        f"    apiVersion: apps/v1\n    kind: Deployment\n    name: {name}\n  minReplicas: {low}\n  maxReplicas: {high}\n{metrics}"
    )
    path = "spec.metrics[0].resource.target.averageUtilization"
    return Draft(
        wordings=(
            f"Create a HorizontalPodAutoscaler {name} for the Deployment {name}: {low} to {high} replicas at {share}% CPU.",
            f"hpa {name} -> deployment {name}, min {low}, max {high}, cpu {share}%",
            f"Scale the Deployment {name} between {low} and {high} pods when CPU passes {share}%. Call the autoscaler {name}.",
        ),
        answer=answer,
        reasoning=(
            f"HorizontalPodAutoscaler {name} in autoscaling/v2",
            f"{low} to {high} replicas, cpu {share}",
        ),
        checks=(
            identity("HorizontalPodAutoscaler", name),
            equals("HorizontalPodAutoscaler", name, "spec.scaleTargetRef.name", name),
            equals("HorizontalPodAutoscaler", name, "spec.minReplicas", low),
            equals("HorizontalPodAutoscaler", name, "spec.maxReplicas", high),
            equals("HorizontalPodAutoscaler", name, path, share),
        ),
        habits=(
            ("autoscaling/v2\n", "autoscaling/v2beta2\n"),
            (metrics, f"  targetCPUUtilizationPercentage: {share}\n"),
        ),
    )


@family("disruption-budget", difficulty=2)
def disruption_budget(draw: Draw) -> Draft:
    name, app, minimum = draw.name(), draw.name(), draw.integer(1, 5)
    answer = (
        f"apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata:\n  name: {name}\nspec:\n  minAvailable: {minimum}\n"
        f"  selector:\n    matchLabels:\n      app: {app}\n"
    )
    return Draft(
        wordings=(
            f"Create a PodDisruptionBudget {name} that keeps at least {minimum} pods of app={app} available.",
            f"pdb {name}, minAvailable {minimum}, app: {app}",
            f"Never evict so many pods labelled app={app} that fewer than {minimum} remain. Name the budget {name}.",
        ),
        answer=answer,
        reasoning=(
            f"PodDisruptionBudget {name} in policy/v1",
            f"minAvailable {minimum} for app {app}",
        ),
        checks=(
            identity("PodDisruptionBudget", name),
            equals("PodDisruptionBudget", name, "spec.minAvailable", minimum),
            equals("PodDisruptionBudget", name, "spec.selector.matchLabels.app", app),
        ),
        habits=(("policy/v1\n", "policy/v1beta1\n"), ("    matchLabels:\n      app:", "    app:")),
    )


@family("ingress", difficulty=2)
def ingress(draw: Draw) -> Draft:
    name, host, target, port = draw.name(), draw.domain(), draw.name(), draw.port()
    backend = f"            backend:\n              service:\n                name: {target}\n                port:\n                  number: {port}\n"
    answer = (
        f"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: {name}\nspec:\n  rules:\n    - host: {host}\n"
        f"      http:\n        paths:\n          - path: /\n            pathType: Prefix\n{backend}"
    )
    old = f"            backend:\n              serviceName: {target}\n              servicePort: {port}\n"
    rule = "spec.rules[0].http.paths[0].backend.service"
    return Draft(
        wordings=(
            f"Create an Ingress {name} that sends {host} to the Service {target} on port {port}.",
            f"ingress {name}: {host} -> {target}:{port}",
            f"Requests for the host {host} shall reach the Service {target}, port {port}. Write the Ingress {name}.",
        ),
        answer=answer,
        reasoning=(f"Ingress {name} in networking.k8s.io/v1", f"{host} to {target} port {port}"),
        checks=(
            identity("Ingress", name),
            equals("Ingress", name, "spec.rules[0].host", host),
            equals("Ingress", name, f"{rule}.name", target),
            equals("Ingress", name, f"{rule}.port.number", port),
        ),
        habits=(("networking.k8s.io/v1\n", "extensions/v1beta1\n"), (backend, old)),
    )


@family("service-account", difficulty=1)
def service_account(draw: Draw) -> Draft:
    name, where = draw.name(), draw.name()
    answer = (
        f"apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {name}\n  namespace: {where}\n"
        "automountServiceAccountToken: false\n"
    )
    return Draft(
        wordings=(
            f"Create a ServiceAccount {name} in the namespace {where} that does not mount its token.",
            f"serviceaccount {name}, namespace {where}, no automount of the token",
            f"Pods in {where} need a ServiceAccount called {name} whose token is not mounted automatically.",
        ),
        answer=answer,
        reasoning=(f"ServiceAccount {name} in {where}", "automountServiceAccountToken: false"),
        checks=(
            identity("ServiceAccount", name),
            equals("ServiceAccount", name, "metadata.namespace", where),
            equals("ServiceAccount", name, "automountServiceAccountToken", False),
        ),
        habits=(("automountServiceAccountToken: false\n", ""), ("automount", "spec:\n  automount")),
    )


@family("deployment-with-service", difficulty=3)
def deployment_with_service(draw: Draw) -> Draft:
    name, image, port = draw.name(), draw.choice(IMAGES), draw.port()
    container = f"          image: {image}\n          ports:\n            - containerPort: {port}\n"
    exposed = (
        f"---\napiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\nspec:\n  selector:\n    app: {name}\n"
        f"  ports:\n    - port: 80\n      targetPort: {port}\n"
    )
    return Draft(
        wordings=(
            f"Write a Deployment {name} of {image} on port {port} and a Service {name} that exposes it on port 80.",
            f"deployment + service {name}: {image}, container port {port}, service port 80",
            f"Deploy {image} as {name} (port {port}) and put a Service of the same name in front of it, on port 80.",
        ),
        answer=workload("Deployment", name, "", container) + exposed,
        reasoning=(
            f"Deployment {name} of {image}, port {port}",
            f"Service {name} selects app {name}, 80 to {port}",
        ),
        checks=(
            identity("Deployment", name),
            equals("Deployment", name, f"{CONTAINERS}.image", image),
            identity("Service", name),
            equals("Service", name, "spec.ports[0].targetPort", port),
            references("Service", name, "spec.selector", "Deployment", name),
        ),
        habits=(
            OLD_DEPLOYMENT,
            (f"  selector:\n    app: {name}\n  ports", "  selector:\n    app: app\n  ports"),
        ),
    )


@family("daemonset", difficulty=1, held_out=True)
def daemonset(draw: Draw) -> Draft:
    name, image = draw.name(), draw.choice(IMAGES)
    return Draft(
        wordings=(
            f"Create a DaemonSet {name} that runs {image} on every node.",
            f"daemonset {name}, image {image}",
            f"Every node of the cluster shall run {image}. Write the DaemonSet and name it {name}.",
        ),
        answer=workload("DaemonSet", name, "", f"          image: {image}\n"),
        reasoning=(
            f"DaemonSet {name} of {image}",
            "apps/v1 with a selector that matches the labels",
        ),
        checks=(
            identity("DaemonSet", name),
            equals("DaemonSet", name, f"{CONTAINERS}.image", image),
        ),
    )


@family("resource-quota", difficulty=1, held_out=True)
def resource_quota(draw: Draw) -> Draft:
    name, where, pods = draw.name(), draw.name(), draw.number(11, 99)
    answer = (
        f"apiVersion: v1\nkind: ResourceQuota\nmetadata:\n  name: {name}\n  namespace: {where}\nspec:\n  hard:\n"
        f'    pods: "{pods}"\n'
    )
    return Draft(
        wordings=(
            f"Create a ResourceQuota {name} in the namespace {where} that allows {pods} pods.",
            f"resourcequota {name}, namespace {where}, {pods} pods",
            f"The namespace {where} may hold {pods} pods at most. Write the ResourceQuota {name}.",
        ),
        answer=answer,
        reasoning=(f"ResourceQuota {name} in {where}", f"hard pods {pods}"),
        checks=(
            identity("ResourceQuota", name),
            equals("ResourceQuota", name, "metadata.namespace", where),
            equals("ResourceQuota", name, "spec.hard.pods", str(pods)),
        ),
    )


@family("network-policy", difficulty=2, held_out=True)
def network_policy(draw: Draw) -> Draft:
    name, app = draw.name(), draw.name()
    answer = (
        f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: {name}\nspec:\n  podSelector:\n"
        f"    matchLabels:\n      app: {app}\n  policyTypes:\n    - Ingress\n"
    )
    return Draft(
        wordings=(
            f"Create a NetworkPolicy {name} that denies all ingress to the pods with app={app}.",
            f"networkpolicy {name}: deny ingress for app: {app}",
            f"No traffic may reach the pods labelled app={app}. Write the NetworkPolicy {name} (ingress only).",
        ),
        answer=answer,
        reasoning=(
            f"NetworkPolicy {name} for app {app}",
            "policyTypes Ingress without a rule denies all",
        ),
        checks=(
            identity("NetworkPolicy", name),
            equals("NetworkPolicy", name, "spec.podSelector.matchLabels.app", app),
            contains("NetworkPolicy", name, "spec.policyTypes", "Ingress"),
        ),
    )
