"""Task families for Kubernetes manifests that make a small platform: four objects and more."""

from textwrap import dedent

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, absent, contains, equals, identity, references
from inframind.categories.kubernetes.families.systems import (
    CONTAINER,
    OLD_DEPLOYMENT,
    RUNTIMES,
    deployment,
    exposed,
    ingress,
    joined,
    reordered,
    routed,
    service,
)
from inframind.types import Check

FAMILIES = Families("kubernetes")
family = FAMILIES.family


@family("tenant", difficulty=4)
def tenant(draw: Draw) -> Draft:
    space, quota, pods, memory, default = (
        draw.name(),
        draw.name(),
        draw.number(20, 900),
        draw.number(9, 200),
        draw.choice((128, 256, 512)),
    )
    answer = dedent(f"""\
        apiVersion: v1
        kind: Namespace
        metadata:
          name: {space}
          labels:
            pod-security.kubernetes.io/enforce: restricted
        ---
        apiVersion: v1
        kind: ResourceQuota
        metadata:
          name: {quota}
          namespace: {space}
        spec:
          hard:
            pods: "{pods}"
            requests.memory: {memory}Gi
        ---
        apiVersion: v1
        kind: LimitRange
        metadata:
          name: {quota}
          namespace: {space}
        spec:
          limits:
            - type: Container
              default:
                memory: {default}Mi
        ---
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata:
          name: deny-ingress
          namespace: {space}
        spec:
          podSelector: {{}}
          policyTypes: [Ingress]
        """)
    return Draft(
        wordings=(
            f"Set up a tenant: namespace {space} enforcing the restricted pod security level, ResourceQuota {quota} ({pods} pods, {memory}Gi memory requested), "
            f"LimitRange {quota} with a default container limit of {default}Mi, and a NetworkPolicy deny-ingress that lets nothing in.",
            f"tenant {space}: PSS restricted, quota+limitrange {quota}: pods {pods}, requests.memory {memory}Gi, default memory {default}Mi; netpol deny-ingress",
            f"The team in {space} gets at most {pods} pods and {memory}Gi of requested memory ({quota}); containers without a limit get {default}Mi (LimitRange, also {quota}). "
            "The namespace enforces pod security restricted, and deny-ingress blocks all incoming traffic.",
        ),
        answer=answer,
        reasoning=(
            f"Namespace {space}, enforce: restricted",
            f"ResourceQuota {quota}: {pods} pods, {memory}Gi",
            f"LimitRange {quota}: default {default}Mi",
            "NetworkPolicy deny-ingress for all pods",
        ),
        checks=(
            identity("Namespace", space),
            equals("Namespace", space, 'metadata.labels."pod-security.kubernetes.io/enforce"', "restricted"),
            equals("ResourceQuota", quota, "metadata.namespace", space),
            Check(op="one_of", id="pods", kind="ResourceQuota", name=quota, path="spec.hard.pods", value=[str(pods), pods]),
            equals("ResourceQuota", quota, 'spec.hard."requests.memory"', f"{memory}Gi"),
            equals("LimitRange", quota, "metadata.namespace", space),
            equals("LimitRange", quota, "spec.limits[0].default.memory", f"{default}Mi"),
            equals("NetworkPolicy", "deny-ingress", "metadata.namespace", space),
            contains("NetworkPolicy", "deny-ingress", "spec.policyTypes", "Ingress"),
            absent("NetworkPolicy", "deny-ingress", "spec.ingress"),
            absent("NetworkPolicy", "deny-ingress", "spec.podSelector.matchLabels"),
        ),
        variant=reordered(answer),
        habits=(("  podSelector: {}\n", "  podSelector: {}\n  ingress:\n    - {}\n"), ("  podSelector: {}\n", "  podSelector:\n    matchLabels:\n      app: web\n"), ("      default:", "      defaultRequest:")),
    )  # fmt: skip


def database(
    name: str, image: str, port: int, variable: str, secret: str, path: str, size: int
) -> str:
    """A StatefulSet behind its headless Service, one claim a pod."""
    return dedent(f"""\
        apiVersion: v1
        kind: Service
        metadata:
          name: {name}
        spec:
          clusterIP: None
          selector:
            app: {name}
          ports:
            - port: {port}
        ---
        apiVersion: apps/v1
        kind: StatefulSet
        metadata:
          name: {name}
        spec:
          serviceName: {name}
          replicas: 1
          selector:
            matchLabels:
              app: {name}
          template:
            metadata:
              labels:
                app: {name}
            spec:
              containers:
                - name: main
                  image: {image}
                  ports:
                    - containerPort: {port}
                  env:
                    - name: {variable}
                      valueFrom:
                        secretKeyRef:
                          name: {secret}
                          key: password
                  volumeMounts:
                    - name: data
                      mountPath: {path}
          volumeClaimTemplates:
            - metadata:
                name: data
              spec:
                accessModes: [ReadWriteOnce]
                resources:
                  requests:
                    storage: {size}Gi
        """)


@family("stateful-database", difficulty=4)
def stateful_database(draw: Draw) -> Draft:
    name, secret, size, path = draw.name(), draw.name(), draw.number(3, 900), draw.path()
    image, port, variable = draw.choice(
        (("postgres:16", 5432, "POSTGRES_PASSWORD"), ("mysql:8.4", 3306, "MYSQL_ROOT_PASSWORD"))
    )
    answer = database(name, image, port, variable, secret, path, size)
    main = ("StatefulSet", name)
    return Draft(
        wordings=(
            f"Run {image} as the StatefulSet {name} (one replica) behind a headless Service of the same name on {port}; {variable} comes from the key password of the Secret {secret}; "
            f"each pod has a {size}Gi volume at {path}.",
            f"statefulset {name} {image}, headless svc {name}:{port}, {variable} from secret {secret}/password, volumeClaimTemplate {size}Gi at {path}",
            f"We need a database: {image}, called {name}, data at {path} on its own {size}Gi claim, password ({variable}) from Secret {secret}, key password. Headless Service {name}, port {port}.",
        ),
        answer=answer,
        reasoning=(
            f"headless Service {name} on {port}",
            f"StatefulSet {name}: {image}, serviceName {name}",
            f"{variable} from Secret {secret}",
            f"claim template {size}Gi at {path}",
        ),
        checks=(
            identity(*main),
            equals(*main, f"{CONTAINER}.image", image),
            equals(*main, "spec.serviceName", name),
            contains(*main, f"{CONTAINER}.env", {"name": variable, "valueFrom": {"secretKeyRef": {"name": secret, "key": "password"}}}),
            contains(*main, f"{CONTAINER}.volumeMounts", {"mountPath": path}),
            equals(*main, "spec.volumeClaimTemplates[0].spec.resources.requests.storage", f"{size}Gi"),
            equals("Service", name, "spec.clusterIP", "None"),
            contains("Service", name, "spec.ports", {"port": port}),
            references("Service", name, "spec.selector", "StatefulSet", name),
        ),
        variant=reordered(answer).replace("name: data\n", "name: files\n"),
        habits=(("  clusterIP: None\n", ""), ("apps/v1\n", "apps/v1beta1\n"), (f"valueFrom:\n                secretKeyRef:\n                  name: {secret}\n                  key: password", "value: changeme")),
    )  # fmt: skip


@family("guarded-backend", difficulty=4, held_out=True)
def guarded_backend(draw: Draw) -> Draft:
    front, back, image, port, target = (
        draw.name(),
        draw.name(),
        draw.choice(RUNTIMES),
        draw.port(),
        draw.port(),
    )
    container = (
        f"          image: {image}\n          ports:\n            - containerPort: {target}\n"
    )
    policy = dedent(f"""\
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata:
          name: {back}
        spec:
          podSelector:
            matchLabels:
              app: {back}
          policyTypes: [Ingress]
          ingress:
            - from:
                - podSelector:
                    matchLabels:
                      app: {front}
              ports:
                - port: {target}
        """)
    answer = joined(deployment(back, 2, container), service(back, port, target), policy)
    return Draft(
        wordings=(
            f"Deploy {back} ({image}, two replicas, label app: {back}, listening on {target}) with a Service on {port}; only pods with the label app: {front} may reach {target}.",
            f"k8s {back}: {image} x2 port {target}, svc {port}, networkpolicy: ingress only from app={front} on {target}",
            f"Pods labelled app={front} are the only ones that may talk to {back} (app={back}, {image}, 2 replicas) on port {target}. Write Deployment, Service (port {port}) and NetworkPolicy, all called {back}.",
        ),
        answer=answer,
        reasoning=(f"Deployment {back}: 2 x {image}", f"Service {back}: {port} to {target}", f"NetworkPolicy {back}: from app={front} on {target}"),
        checks=(
            identity("NetworkPolicy", back),
            *exposed(back, image, 2, port, target),
            references("NetworkPolicy", back, "spec.podSelector", "Deployment", back),
            equals("NetworkPolicy", back, "spec.ingress[0].from[0].podSelector.matchLabels", {"app": front}),
            contains("NetworkPolicy", back, "spec.ingress[0].ports", {"port": target}),
            Check(op="at_most", id="one source", kind="NetworkPolicy", name=back, path="spec.ingress[].from[]", value=1),
        ),
        variant=reordered(answer),
        habits=(OLD_DEPLOYMENT, ("        - podSelector:\n            matchLabels:\n              app: " + front, "        - namespaceSelector: {}")),
    )  # fmt: skip


def scaler(name: str, low: int, high: int, percent: int) -> str:
    """An autoscaler of the Deployment on its CPU."""
    return dedent(f"""\
        apiVersion: autoscaling/v2
        kind: HorizontalPodAutoscaler
        metadata:
          name: {name}
        spec:
          scaleTargetRef:
            apiVersion: apps/v1
            kind: Deployment
            name: {name}
          minReplicas: {low}
          maxReplicas: {high}
          metrics:
            - type: Resource
              resource:
                name: cpu
                target:
                  type: Utilization
                  averageUtilization: {percent}
        """)


def budget(name: str) -> str:
    """A disruption budget that keeps one pod."""
    return dedent(f"""\
        apiVersion: policy/v1
        kind: PodDisruptionBudget
        metadata:
          name: {name}
        spec:
          minAvailable: 1
          selector:
            matchLabels:
              app: {name}
        """)


@family("production-service", difficulty=5)
def production_service(draw: Draw) -> Draft:
    name, image, host = draw.name(), draw.choice(RUNTIMES), draw.domain()
    port, target, low = draw.port(), draw.port(), draw.integer(2, 4)
    high, percent = low + draw.integer(3, 8), draw.choice((55, 65, 85))
    container = dedent(f"""\
        image: {image}
        ports:
          - containerPort: {target}
        resources:
          requests:
            cpu: 100m
        """)
    body = "".join(f"          {line}\n" for line in container.splitlines())
    answer = joined(
        deployment(name, low, body),
        service(name, port, target),
        ingress(name, host, port),
        scaler(name, low, high, percent),
        budget(name),
    )
    return Draft(
        wordings=(
            f"Write everything for the service {name}: a Deployment of {image} with {low} replicas on port {target} (CPU request 100m), a Service on {port}, an Ingress for {host}, "
            f"a HorizontalPodAutoscaler from {low} to {high} at {percent} % CPU, and a PodDisruptionBudget that keeps one pod available.",
            f"prod k8s {name}: {image} x{low} port {target} cpu request 100m, svc {port}, ingress {host}, hpa {low}-{high} cpu {percent}%, pdb minAvailable 1",
            f"{host} must survive load and node drains: {name} runs {image} ({low} to {high} replicas, target {percent} % CPU, 100m requested each), containers on {target}, Service {port}, "
            "Ingress, and a disruption budget with minAvailable 1.",
        ),
        answer=answer,
        reasoning=(
            f"Deployment {name}: {low} x {image}, port {target}, 100m",
            f"Service {port} to {target}, Ingress {host}",
            f"autoscaler {low} to {high} at {percent} %",
            "disruption budget: minAvailable 1",
        ),
        checks=(
            identity("HorizontalPodAutoscaler", name),
            *exposed(name, image, low, port, target),
            *routed(name, host),
            equals("Deployment", name, f"{CONTAINER}.resources.requests.cpu", "100m"),
            references("HorizontalPodAutoscaler", name, "spec.scaleTargetRef", "Deployment", name),
            equals("HorizontalPodAutoscaler", name, "spec.minReplicas", low),
            equals("HorizontalPodAutoscaler", name, "spec.maxReplicas", high),
            equals(
                "HorizontalPodAutoscaler",
                name,
                "spec.metrics[0].resource.target.averageUtilization",
                percent,
            ),
            equals("PodDisruptionBudget", name, "spec.minAvailable", 1),
            references("PodDisruptionBudget", name, "spec.selector", "Deployment", name),
        ),
        variant=reordered(answer),
        habits=(
            ("autoscaling/v2\n", "autoscaling/v2beta2\n"),
            ("policy/v1\n", "policy/v1beta1\n"),
            OLD_DEPLOYMENT,
        ),
    )
