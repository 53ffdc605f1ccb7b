"""Task families for Kubernetes manifests of several objects that refer to one another."""

from textwrap import dedent

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, contains, equals, exists, identity, references
from inframind.types import Check

FAMILIES = Families("kubernetes")
family = FAMILIES.family

SERVERS = ("nginx:1.27", "httpd:2.4", "caddy:2.8", "traefik:3.2")
RUNTIMES = ("python:3.12-slim", "node:22-alpine", "golang:1.24", "ruby:3.4")
CONTAINER = "spec.template.spec.containers[0]"
OLD_DEPLOYMENT = ("apiVersion: apps/v1\n", "apiVersion: extensions/v1beta1\n")


def deployment(name: str, replicas: int, container: str, pod: str = "") -> str:
    """A Deployment whose labels agree; `container` and `pod` are indented as they stand."""
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\nspec:\n  replicas: {replicas}\n"
        f"  selector:\n    matchLabels:\n      app: {name}\n  template:\n    metadata:\n      labels:\n        app: {name}\n    spec:\n"
        f"{pod}      containers:\n        - name: main\n{container}"
    )


def service(name: str, port: int, target: int) -> str:
    """A Service in front of the Deployment of the same name."""
    return (
        f"apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\nspec:\n  selector:\n    app: {name}\n  ports:\n"
        f"    - port: {port}\n      targetPort: {target}\n"
    )


def ingress(name: str, host: str, port: int) -> str:
    """An Ingress to the Service of the same name."""
    return dedent(f"""\
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata:
          name: {name}
        spec:
          rules:
            - host: {host}
              http:
                paths:
                  - path: /
                    pathType: Prefix
                    backend:
                      service:
                        name: {name}
                        port:
                          number: {port}
        """)


def joined(*documents: str) -> str:
    """One text of several documents."""
    return "---\n".join(documents)


def reordered(answer: str) -> str:
    """The same objects in the opposite order: the API server does not mind."""
    return joined(*reversed(answer.split("---\n")))


def exposed(name: str, image: str, replicas: int, port: int, target: int) -> tuple[Check, ...]:
    """A Deployment of the image and a Service in front of it."""
    return (
        exists("Deployment", name),
        equals("Deployment", name, "spec.replicas", replicas),
        equals("Deployment", name, f"{CONTAINER}.image", image),
        contains("Service", name, "spec.ports", {"port": port, "targetPort": target}),
        references("Service", name, "spec.selector", "Deployment", name),
    )


def routed(name: str, host: str) -> tuple[Check, ...]:
    """An Ingress of that host to the Service."""
    return (
        equals("Ingress", name, "spec.rules[0].host", host),
        references("Ingress", name, "spec.rules.http.paths.backend.service", "Service", name),
    )


@family("web-stack", difficulty=3)
def web_stack(draw: Draw) -> Draft:
    name, image, replicas = draw.name(), draw.choice(SERVERS), draw.integer(2, 6)
    port, target, host = draw.port(), draw.port(), draw.domain()
    container = (
        f"          image: {image}\n          ports:\n            - containerPort: {target}\n"
    )
    answer = joined(
        deployment(name, replicas, container),
        service(name, port, target),
        ingress(name, host, port),
    )
    return Draft(
        wordings=(
            f"Publish {image} as {name} under {host}: a Deployment with {replicas} replicas listening on {target}, a Service on port {port}, an Ingress.",
            f"k8s: deployment+service+ingress {name}, {image} x{replicas}, containerPort {target}, service port {port}, host {host}",
            f"Our site {host} runs {image} with {replicas} replicas. Containers listen on {target}; the Service offers {port}; the Ingress sends the host to it. "
            f"All objects are called {name}.",
        ),
        answer=answer,
        reasoning=(
            f"Deployment {name}: {replicas} x {image}, port {target}",
            f"Service {name}: {port} to {target}",
            f"Ingress {name}: {host} to the Service",
        ),
        checks=(
            identity("Ingress", name),
            *exposed(name, image, replicas, port, target),
            *routed(name, host),
        ),
        variant=reordered(answer),
        habits=(
            OLD_DEPLOYMENT,
            ("networking.k8s.io/v1\n", "extensions/v1beta1\n"),
            ("            pathType: Prefix\n", ""),
        ),
    )


@family("config-and-deployment", difficulty=3)
def config_and_deployment(draw: Draw) -> Draft:
    name, config, image, key, value, path = (
        draw.name(), draw.name(), draw.choice(RUNTIMES), draw.constant(), draw.word(), draw.path(),
    )  # fmt: skip
    pod = f"      volumes:\n        - name: settings\n          configMap:\n            name: {config}\n"
    container = f"          image: {image}\n          volumeMounts:\n            - name: settings\n              mountPath: {path}\n"
    settings = (
        f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {config}\ndata:\n  {key}: {value}\n"
    )
    answer = joined(settings, deployment(name, 1, container, pod))
    return Draft(
        wordings=(
            f"Write a ConfigMap {config} with {key} set to {value}, and a Deployment {name} of {image} (one replica) that mounts it at {path}.",
            f"configmap {config} {key}={value}; deployment {name} {image}, 1 replica, mounts it at {path}",
            f"{name} runs {image} once and reads its settings below {path}. They come from the ConfigMap {config}, whose only entry is {key}: {value}.",
        ),
        answer=answer,
        reasoning=(
            f"ConfigMap {config}: {key}={value}",
            f"Deployment {name} mounts it as a volume at {path}",
        ),
        checks=(
            identity("ConfigMap", config),
            equals("Deployment", name, f"{CONTAINER}.image", image),
            equals("ConfigMap", config, f"data.{key}", value),
            references(
                "Deployment", name, "spec.template.spec.volumes.configMap", "ConfigMap", config
            ),
            contains("Deployment", name, f"{CONTAINER}.volumeMounts", {"mountPath": path}),
        ),
        variant=reordered(answer).replace("settings", "files"),
        habits=(
            ("          volumeMounts:", "          volumes:"),
            (f"configMap:\n            name: {config}", "emptyDir: {}"),
        ),
    )


@family("reader-role", difficulty=3)
def reader_role(draw: Draw) -> Draft:
    account, role, space = draw.name(), draw.name(), draw.name()
    resource = draw.choice(("pods", "configmaps", "services", "events", "endpoints"))
    answer = dedent(f"""\
        apiVersion: v1
        kind: ServiceAccount
        metadata:
          name: {account}
          namespace: {space}
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata:
          name: {role}
          namespace: {space}
        rules:
          - apiGroups: [""]
            resources: ["{resource}"]
            verbs: ["get", "list", "watch"]
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata:
          name: {role}
          namespace: {space}
        roleRef:
          apiGroup: rbac.authorization.k8s.io
          kind: Role
          name: {role}
        subjects:
          - kind: ServiceAccount
            name: {account}
            namespace: {space}
        """)
    return Draft(
        wordings=(
            f"In the namespace {space}, let the new ServiceAccount {account} get, list and watch {resource}: a Role {role} and a RoleBinding of the same name.",
            f"rbac in {space}: serviceaccount {account}, role+binding {role}: get/list/watch {resource}",
            f"{account} (a ServiceAccount in {space}) may only read {resource}: get, list, watch. Write account, Role {role} and RoleBinding {role}.",
        ),
        answer=answer,
        reasoning=(f"ServiceAccount {account} in {space}", f"Role {role}: read {resource}", f"RoleBinding {role} joins both"),
        checks=(
            identity("Role", role),
            equals("Role", role, "metadata.namespace", space),
            contains("Role", role, "rules[].resources[]", resource),
            Check(op="equals", id="verbs", kind="Role", name=role, path="sort(rules[].verbs[])", value=["get", "list", "watch"]),
            references("RoleBinding", role, "roleRef", "Role", role),
            references("RoleBinding", role, "subjects", "ServiceAccount", account),
        ),
        variant=reordered(answer).replace('["get", "list", "watch"]', "[list, watch, get]"),
        habits=(('verbs: ["get", "list", "watch"]', 'verbs: ["*"]'), ("rbac.authorization.k8s.io/v1\nkind: Role\n", "rbac.authorization.k8s.io/v1beta1\nkind: Role\n")),
    )  # fmt: skip


@family("cron-with-volume", difficulty=3)
def cron_with_volume(draw: Draw) -> Draft:
    name, claim, image, size, path = (
        draw.name(),
        draw.name(),
        draw.choice(RUNTIMES),
        draw.number(3, 900),
        draw.path(),
    )
    schedule = draw.choice(("0 3 * * *", "30 1 * * 6", "*/20 * * * *", "0 0 1 * *"))
    answer = dedent(f"""\
        apiVersion: v1
        kind: PersistentVolumeClaim
        metadata:
          name: {claim}
        spec:
          accessModes: [ReadWriteOnce]
          resources:
            requests:
              storage: {size}Gi
        ---
        apiVersion: batch/v1
        kind: CronJob
        metadata:
          name: {name}
        spec:
          schedule: "{schedule}"
          concurrencyPolicy: Forbid
          jobTemplate:
            spec:
              template:
                spec:
                  restartPolicy: OnFailure
                  containers:
                    - name: main
                      image: {image}
                      volumeMounts:
                        - name: data
                          mountPath: {path}
                  volumes:
                    - name: data
                      persistentVolumeClaim:
                        claimName: {claim}
        """)
    inner = "spec.jobTemplate.spec.template.spec"
    return Draft(
        wordings=(
            f"Run {image} on the schedule {schedule} as the CronJob {name}, never twice at once; it keeps its files at {path} on the {size}Gi claim {claim} (ReadWriteOnce).",
            f"cronjob {name} '{schedule}' {image}, concurrency Forbid, pvc {claim} {size}Gi RWO at {path}",
            f"Write a PersistentVolumeClaim {claim} of {size}Gi, ReadWriteOnce, and a CronJob {name} ({schedule}, {image}) that mounts it at {path} and forbids concurrent runs.",
        ),
        answer=answer,
        reasoning=(
            f"claim {claim}: {size}Gi",
            f"CronJob {name}: {schedule}, Forbid",
            f"volume of the claim at {path}",
        ),
        checks=(
            identity("CronJob", name),
            equals("CronJob", name, "spec.schedule", schedule),
            equals("CronJob", name, "spec.concurrencyPolicy", "Forbid"),
            equals("CronJob", name, f"{inner}.containers[0].image", image),
            contains("CronJob", name, f"{inner}.containers[0].volumeMounts", {"mountPath": path}),
            references("CronJob", name, f"{inner}.volumes", "PersistentVolumeClaim", claim),
            equals("PersistentVolumeClaim", claim, "spec.resources.requests.storage", f"{size}Gi"),
            contains("PersistentVolumeClaim", claim, "spec.accessModes", "ReadWriteOnce"),
        ),
        variant=reordered(answer).replace("OnFailure", "Never"),
        habits=(
            ("batch/v1\n", "batch/v1beta1\n"),
            ("  concurrencyPolicy: Forbid\n", ""),
            ("          restartPolicy: OnFailure\n", ""),
        ),
    )


@family("hardened-deployment", difficulty=3)
def hardened_deployment(draw: Draw) -> Draft:
    name, image, port, user = (
        draw.name(),
        draw.choice(RUNTIMES),
        draw.port(),
        draw.number(1001, 60000),
    )
    cpu, memory = draw.choice((250, 500, 750, 1000)), draw.choice((128, 256, 512))
    container = dedent(f"""\
        image: {image}
        ports:
          - containerPort: {port}
        resources:
          limits:
            cpu: {cpu}m
            memory: {memory}Mi
        readinessProbe:
          httpGet:
            path: /ready
            port: {port}
        securityContext:
          runAsNonRoot: true
          runAsUser: {user}
          readOnlyRootFilesystem: true
          allowPrivilegeEscalation: false
        """)
    answer = deployment(name, 2, "".join(f"          {line}\n" for line in container.splitlines()))
    main = ("Deployment", name)
    return Draft(
        wordings=(
            f"Write a hardened Deployment {name}: two replicas of {image}, port {port}, limits {cpu}m CPU and {memory}Mi memory, readiness probe GET /ready on that port, "
            f"user {user}, not root, read-only root file system, no privilege escalation.",
            f"deployment {name} x2 {image} port {port}, limits {cpu}m/{memory}Mi, readiness /ready, runAsUser {user} non-root, readOnlyRootFilesystem, no privilege escalation",
            f"{name} must pass the security review: {image} as user {user} (runAsNonRoot), read-only root, allowPrivilegeEscalation false, at most {cpu}m and {memory}Mi; "
            f"ready when /ready answers on {port}. Two replicas.",
        ),
        answer=answer,
        reasoning=(f"Deployment {name}: 2 x {image}", f"limits {cpu}m, {memory}Mi; probe /ready:{port}", f"securityContext: user {user}, read-only"),
        checks=(
            identity(*main),
            equals(*main, "spec.replicas", 2),
            equals(*main, f"{CONTAINER}.image", image),
            contains(*main, f"{CONTAINER}.ports", {"containerPort": port}),
            Check(op="one_of", id="cpu", kind="Deployment", name=name, path=f"{CONTAINER}.resources.limits.cpu", value=[f"{cpu}m", cpu / 1000, str(cpu // 1000)]),
            equals(*main, f"{CONTAINER}.resources.limits.memory", f"{memory}Mi"),
            equals(*main, f"{CONTAINER}.readinessProbe.httpGet", {"path": "/ready", "port": port}),
            equals(*main, f"{CONTAINER}.securityContext.readOnlyRootFilesystem", True),
            equals(*main, f"{CONTAINER}.securityContext.allowPrivilegeEscalation", False),
            Check(
                op="any_of",
                id="user",
                checks=(
                    equals(*main, f"{CONTAINER}.securityContext.runAsUser", user),
                    equals(*main, "spec.template.spec.securityContext.runAsUser", user),
                ),
            ),
            Check(
                op="any_of",
                id="not root",
                checks=(
                    equals(*main, f"{CONTAINER}.securityContext.runAsNonRoot", True),
                    equals(*main, "spec.template.spec.securityContext.runAsNonRoot", True),
                ),
            ),
        ),
        variant=answer.replace("      containers:", f"      securityContext:\n        runAsNonRoot: true\n        runAsUser: {user}\n      containers:")
        .replace("            runAsNonRoot: true\n", "")
        .replace(f"            runAsUser: {user}\n", ""),
        habits=(OLD_DEPLOYMENT, ("            runAsNonRoot: true\n", ""), ("limits:", "requests:")),
    )  # fmt: skip
