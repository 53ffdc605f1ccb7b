"""Task families for whole charts."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, contains, equals, exists, identity, references
from inframind.categories.helm.families.base import (
    HOW,
    IMAGES,
    TAGS,
    family,
    head,
    helpers,
    joined,
    labels,
    metadata,
)

VERSIONS = ("0.1.0", "1.4.0", "2.0.3")
CONTAINER = "spec.template.spec.containers[0]"
IMAGE = '          image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"\n'


def labelled(kind: str, api: str, name: str, object_name: str) -> str:
    """The beginning of an object with the chart's labels."""
    return f"{head(api, kind, object_name)}  labels:\n{labels(name, 4)}"


def pods(name: str, spec: str, container: str, kind: str = "Deployment") -> str:
    """A workload with the chart's labels; `container` is indented by ten."""
    return (
        f"{labelled(kind, 'apps/v1', name, name)}spec:\n{spec}  selector:\n    matchLabels:\n{labels(name, 6)}  template:\n    metadata:\n      labels:\n"
        f"{labels(name, 8)}    spec:\n      containers:\n        - name: {name}\n{container}"
    )


def service(name: str, port: str, more: str = "") -> str:
    """A Service with the chart's labels as its selector."""
    return f"{labelled('Service', 'v1', name, name)}spec:\n{more}  selector:\n{labels(name, 4)}  ports:\n    - name: http\n      port: {port}\n      targetPort: http\n"


@family("shared-labels", difficulty=4)
def shared_labels(draw: Draw) -> Draft:
    name, version, image, tag, port = (
        draw.name(),
        draw.choice(VERSIONS),
        draw.choice(IMAGES),
        draw.choice(TAGS),
        draw.port(),
    )
    container = (
        IMAGE + f"          ports:\n            - name: http\n              containerPort: {port}\n"
    )
    files = (
        metadata(name, version),
        ("values.yaml", f'image:\n  repository: {image}\n  tag: "{tag}"\nservice:\n  port: 80\n'),
        helpers(name),
        ("templates/deployment.yaml", pods(name, "", container)),
        ("templates/service.yaml", service(name, "{{ .Values.service.port }}")),
    )
    full = f"release-name-{name}"
    return Draft(
        wordings=(
            f"Write the Helm chart {name} {version}: Chart.yaml, values.yaml, templates/_helpers.tpl, templates/deployment.yaml and templates/service.yaml. {name}.labels in the "
            f"helpers is used for labels and selectors. The Deployment runs image.repository:image.tag ({image}:{tag}) with the port http {port}; the Service leads service.port "
            f"(80) to http. Both are called {{{{ .Release.Name }}}}-{name}. {HOW}",
            f"helm chart {name} {version} in one text (`# Source:` lines): helpers with {name}.labels; Deployment and Service {{{{ .Release.Name }}}}-{name}; image.repository={image}, "
            f"image.tag={tag}, containerPort http {port}, service.port=80 -> http",
            f"A small Helm chart. {HOW}\n---\nchart: {name} {version}\nvalues: image.repository {image}, image.tag {tag}, service.port 80\nhelpers: {name}.labels\n"
            f"Deployment {{{{ .Release.Name }}}}-{name}: port http {port}\nService {{{{ .Release.Name }}}}-{name}: service.port to http",
        ),
        answer=joined(*files),
        reasoning=(
            f"chart {name} {version}",
            f"{name}.labels in _helpers.tpl",
            "Deployment and Service share the labels",
        ),
        checks=(
            identity("Deployment", full),
            equals("chart", name, "version", version),
            equals("Deployment", full, "spec.template.spec.containers[0].image", f"{image}:{tag}"),
            contains(
                "Deployment",
                full,
                "spec.template.spec.containers[0].ports",
                {"name": "http", "containerPort": port},
            ),
            contains("Service", full, "spec.ports", {"port": 80, "targetPort": "http"}),
            references("Service", full, "spec.selector", "Deployment", full),
            contains("template", "templates/_helpers.tpl", "defines", f"{name}.labels"),
            references(
                "template",
                "templates/deployment.yaml",
                "includes",
                "template",
                "templates/_helpers.tpl",
            ),
            references(
                "template",
                "templates/service.yaml",
                "includes",
                "template",
                "templates/_helpers.tpl",
            ),
            contains("template", "templates/service.yaml", "values", "service.port"),
        ),
        variant=joined(*reversed(files)),
        habits=((f'define "{name}.labels"', 'define "labels"'), ("nindent 6", "indent 6")),
    )


@family("stateful-set", difficulty=4)
def stateful_set(draw: Draw) -> Draft:
    name, version, image, path, size = (
        draw.name(),
        draw.choice(VERSIONS),
        draw.choice(IMAGES),
        draw.path(),
        f"{draw.number(3, 900)}Gi",
    )
    container = (
        f"          image: {image}:1.0\n          ports:\n            - name: http\n              containerPort: 8080\n"
        f"          volumeMounts:\n            - name: data\n              mountPath: {path}\n"
    )
    claim = "  volumeClaimTemplates:\n    - metadata:\n        name: data\n      spec:\n        accessModes: [ReadWriteOnce]\n        resources:\n          requests:\n            storage: {{ .Values.storage }}\n"
    spec = (
        f"  serviceName: {{{{ .Release.Name }}}}-{name}\n  replicas: {{{{ .Values.replicas }}}}\n"
    )
    files = (
        metadata(name, version),
        ("values.yaml", f"replicas: 3\nstorage: {size}\n"),
        helpers(name),
        ("templates/statefulset.yaml", pods(name, spec, container, "StatefulSet") + claim),
        ("templates/service.yaml", service(name, "8080", "  clusterIP: None\n")),
    )
    full = f"release-name-{name}"
    return Draft(
        wordings=(
            f"Write the Helm chart {name} {version} (Chart.yaml, values.yaml, templates/_helpers.tpl with {name}.labels, templates/statefulset.yaml, templates/service.yaml): a StatefulSet "
            f"{{{{ .Release.Name }}}}-{name} of {image}:1.0 (port http 8080) with replicas (3) pods, each with a claim data of storage ({size}) at {path}, and the headless Service with the "
            f"same name on 8080. {HOW}",
            f"helm chart {name} {version}, `# Source:` lines: StatefulSet + headless Service {{{{ .Release.Name }}}}-{name}, {image}:1.0, http 8080, replicas=3, storage={size}, claim data at "
            f"{path}, labels by {name}.labels",
            f"A stateful service as a Helm chart. {HOW}\n---\nchart: {name} {version}\nvalues: replicas 3, storage {size}\nimage: {image}:1.0, port http 8080\nclaim data: ReadWriteOnce, storage, "
            f"mounted at {path}\nnames: {{{{ .Release.Name }}}}-{name} for StatefulSet and headless Service\nhelpers: {name}.labels",
        ),
        answer=joined(*files),
        reasoning=(
            f"chart {name} {version}",
            "StatefulSet with a claim template data",
            "headless Service: clusterIP None",
        ),
        checks=(
            identity("StatefulSet", full),
            equals("chart", name, "version", version),
            equals("StatefulSet", full, "spec.replicas", 3),
            equals("StatefulSet", full, "spec.serviceName", full),
            equals("StatefulSet", full, "spec.template.spec.containers[0].image", f"{image}:1.0"),
            contains(
                "StatefulSet",
                full,
                "spec.template.spec.containers[0].volumeMounts",
                {"name": "data", "mountPath": path},
            ),
            equals(
                "StatefulSet",
                full,
                "spec.volumeClaimTemplates[0].spec.resources.requests.storage",
                size,
            ),
            equals("Service", full, "spec.clusterIP", "None"),
            references("Service", full, "spec.selector", "StatefulSet", full),
            contains("template", "templates/statefulset.yaml", "values", "storage"),
            contains("template", "templates/_helpers.tpl", "defines", f"{name}.labels"),
        ),
        variant=joined(*reversed(files)),
        habits=(
            ("  clusterIP: None\n", "  clusterIP: none\n  type: Headless\n"),
            ("        name: data\n", "        name: store\n"),
        ),
    )


@family("worker", difficulty=4)
def worker(draw: Draw) -> Draft:
    name, version, account, image, key = (
        draw.name(),
        draw.choice(VERSIONS),
        draw.name(),
        draw.choice(IMAGES),
        draw.constant(),
    )
    secret = draw.name()
    container = (
        f"          image: {image}:1.0\n          env:\n            - name: {key}\n              valueFrom:\n                secretKeyRef:\n"
        "                  name: {{ .Values.secretName }}\n                  key: value\n          {{- with .Values.resources }}\n          resources:\n"
        "            {{- toYaml . | nindent 12 }}\n          {{- end }}\n"
    )
    deployment = pods(name, "", container).replace(
        "    spec:\n      containers",
        f"    spec:\n      serviceAccountName: {account}\n      containers",
    )
    files = (
        metadata(name, version),
        ("values.yaml", f"secretName: {secret}\nresources:\n  limits:\n    memory: 256Mi\n"),
        helpers(name),
        ("templates/deployment.yaml", deployment),
        (
            "templates/serviceaccount.yaml",
            f"apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {account}\n  labels:\n{labels(name, 4)}",
        ),
    )
    full = f"release-name-{name}"
    return Draft(
        wordings=(
            f"Write the Helm chart {name} {version} (Chart.yaml, values.yaml, templates/_helpers.tpl with {name}.labels, templates/deployment.yaml, templates/serviceaccount.yaml): the Deployment "
            f"{{{{ .Release.Name }}}}-{name} of {image}:1.0 runs as the ServiceAccount {account}, takes the variable {key} from the key value of the Secret secretName ({secret}) and all of "
            f"resources (a memory limit of 256Mi). {HOW}",
            f"helm chart {name} {version}, `# Source:` lines: Deployment {{{{ .Release.Name }}}}-{name} {image}:1.0, serviceAccount {account}, env {key} from secret secretName={secret} key value, "
            f"resources from values (limits.memory 256Mi), labels by {name}.labels",
            f"A worker as a Helm chart. {HOW}\n---\nchart: {name} {version}\nvalues: secretName {secret}; resources with limits.memory 256Mi\nServiceAccount: {account}\nDeployment: "
            f"{{{{ .Release.Name }}}}-{name}, {image}:1.0, {key} from that Secret's key value, all of resources\nhelpers: {name}.labels",
        ),
        answer=joined(*files),
        reasoning=(
            f"ServiceAccount {account}",
            f"Deployment uses it, {key} from the Secret",
            "resources by toYaml",
        ),
        checks=(
            identity("Deployment", full),
            equals("chart", name, "version", version),
            exists("ServiceAccount", account),
            references(
                "Deployment",
                full,
                "spec.template.spec.serviceAccountName",
                "ServiceAccount",
                account,
            ),
            equals("Deployment", full, "spec.template.spec.containers[0].image", f"{image}:1.0"),
            contains(
                "Deployment",
                full,
                "spec.template.spec.containers[0].env",
                {"name": key, "valueFrom": {"secretKeyRef": {"name": secret, "key": "value"}}},
            ),
            equals(
                "Deployment",
                full,
                "spec.template.spec.containers[0].resources.limits.memory",
                "256Mi",
            ),
            contains("template", "templates/deployment.yaml", "values", "secretName"),
            contains("template", "templates/deployment.yaml", "values", "resources"),
            contains("template", "templates/_helpers.tpl", "defines", f"{name}.labels"),
        ),
        variant=joined(*reversed(files)),
        habits=(("          {{- end }}\n", ""), ("nindent 12", "nindent 7")),
    )


def ingress(name: str) -> str:
    """An Ingress that the values may leave out."""
    return (
        f"{{{{- if .Values.ingress.enabled }}}}\n{labelled('Ingress', 'networking.k8s.io/v1', name, name)}spec:\n  rules:\n    - host: {{{{ .Values.ingress.host }}}}\n      http:\n        paths:\n"
        f"          - path: /\n            pathType: Prefix\n            backend:\n              service:\n                name: {{{{ .Release.Name }}}}-{name}\n                port:\n"
        "                  name: http\n{{- end }}\n"
    )


def scaler(name: str) -> str:
    """An autoscaler with bounds from the values."""
    return (
        f"{labelled('HorizontalPodAutoscaler', 'autoscaling/v2', name, name)}spec:\n  scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n    name: {{{{ .Release.Name }}}}-{name}\n"
        "  minReplicas: {{ .Values.autoscaling.min }}\n  maxReplicas: {{ .Values.autoscaling.max }}\n"
    )


@family("web-application", difficulty=5)
def web_application(draw: Draw) -> Draft:
    name, version, app, host, port = (
        draw.name(),
        draw.choice(VERSIONS),
        draw.choice(("1.27", "2.4")),
        draw.domain(),
        draw.port(),
    )
    repository, low, high = (
        f"registry.example.com/{draw.word()}",
        draw.integer(2, 3),
        draw.integer(4, 9),
    )
    container = (
        '          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"\n'
        f"          ports:\n            - name: http\n              containerPort: {port}\n          readinessProbe:\n            httpGet:\n              path: /\n              port: http\n"
    )
    files = (
        metadata(name, version, f'appVersion: "{app}"\n'),
        (
            "values.yaml",
            f'image:\n  repository: {repository}\n  tag: ""\nservice:\n  port: 80\ningress:\n  enabled: true\n  host: {host}\nautoscaling:\n  min: {low}\n  max: {high}\n',
        ),
        helpers(name),
        ("templates/deployment.yaml", pods(name, "", container)),
        ("templates/service.yaml", service(name, "{{ .Values.service.port }}")),
        ("templates/ingress.yaml", ingress(name)),
        ("templates/hpa.yaml", scaler(name)),
    )
    full = f"release-name-{name}"
    return Draft(
        wordings=(
            f"Write the Helm chart {name} {version}, appVersion {app}, with Chart.yaml, values.yaml, templates/_helpers.tpl ({name}.labels), deployment.yaml, service.yaml, ingress.yaml and hpa.yaml. "
            f"All objects are called {{{{ .Release.Name }}}}-{name}. Image: image.repository ({repository}) with image.tag, empty by default, else the appVersion; port http {port} with a readiness "
            f"probe on /. Service: service.port (80) to http. Ingress, if ingress.enabled (true): ingress.host ({host}), / Prefix. Autoscaler v2: autoscaling.min ({low}) to autoscaling.max ({high}). {HOW}",
            f"helm chart {name} {version} appVersion {app}, `# Source:` lines, names {{{{ .Release.Name }}}}-{name}, labels {name}.labels: Deployment {repository}:(image.tag or appVersion) http {port} readiness /; "
            f"Service service.port=80 -> http; Ingress if ingress.enabled=true host {host} / Prefix; HPA v2 autoscaling.min={low} max={high}",
            f"The chart of a web application. {HOW}\n---\nchart: {name} {version}, appVersion {app}\nnames: {{{{ .Release.Name }}}}-{name}; labels: {name}.labels in templates/_helpers.tpl\n"
            f"image: image.repository {repository}, image.tag empty, else appVersion\nport: http {port}, readiness probe GET /\nservice.port: 80 to http\ningress: enabled true, host {host}, path / Prefix\n"
            f"autoscaling (v2): min {low}, max {high}",
        ),
        answer=joined(*files),
        reasoning=(
            f"chart {name} {version}, appVersion {app}",
            f"{name}.labels for labels and selectors",
            "image.tag falls back to the appVersion",
            "Ingress only if it is enabled",
            f"autoscaler from {low} to {high}",
        ),
        checks=(
            identity("chart", name),
            equals("chart", name, "version", version),
            equals("chart", name, "appVersion", app),
            equals("Deployment", full, f"{CONTAINER}.image", f"{repository}:{app}"),
            contains(
                "Deployment", full, f"{CONTAINER}.ports", {"name": "http", "containerPort": port}
            ),
            equals("Deployment", full, f"{CONTAINER}.readinessProbe.httpGet.path", "/"),
            contains("Service", full, "spec.ports", {"port": 80, "targetPort": "http"}),
            references("Service", full, "spec.selector", "Deployment", full),
            equals("Ingress", full, "spec.rules[0].host", host),
            references("Ingress", full, "spec.rules.http.paths.backend.service", "Service", full),
            equals("HorizontalPodAutoscaler", full, "spec.minReplicas", low),
            equals("HorizontalPodAutoscaler", full, "spec.maxReplicas", high),
            references("HorizontalPodAutoscaler", full, "spec.scaleTargetRef", "Deployment", full),
            equals("values", None, "image.tag", ""),
            contains("template", "templates/ingress.yaml", "values", "ingress.enabled"),
            contains("template", "templates/_helpers.tpl", "defines", f"{name}.labels"),
        ),
        variant=joined(*reversed(files)),
        habits=(
            ("autoscaling/v2\n", "autoscaling/v2beta2\n"),
            ("default .Chart.AppVersion", "default .Chart.appVersion"),
        ),
    )
