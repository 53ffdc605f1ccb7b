"""Task families for values with one template."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, contains, equals, identity
from inframind.categories.helm.families.base import (
    HOW,
    IMAGES,
    TAGS,
    family,
    head,
    joined,
    workload,
)

SCHEDULES = ("0 * * * *", "0 2 * * *", "30 4 * * 0", "15 6 * * 1")
NO_VALUES = (".Values.", ".values.")


def release(name: str) -> str:
    """The name that an object gets in the rendered chart."""
    return f"release-name-{name}"


@family("service", difficulty=2)
def service(draw: Draw) -> Draft:
    name, port, target, kind = (
        draw.name(),
        draw.port(),
        draw.port(),
        draw.choice(("ClusterIP", "NodePort")),
    )
    values = ("values.yaml", f"service:\n  type: {kind}\n  port: {port}\n")
    spec = f"spec:\n  type: {{{{ .Values.service.type }}}}\n  selector:\n    app: {name}\n  ports:\n    - port: {{{{ .Values.service.port }}}}\n      targetPort: {target}\n"
    template = ("templates/service.yaml", head("v1", "Service", name) + spec)
    quoted = (
        "templates/service.yaml",
        template[1].replace("{{ .Values.service.port }}", "{{ .Values.service.port | int }}"),
    )
    return Draft(
        wordings=(
            f"Write values.yaml and templates/service.yaml of a Helm chart. The Service {{{{ .Release.Name }}}}-{name} selects app={name}; type and port come from "
            f"service.type ({kind}) and service.port ({port}), the target port is {target}. {HOW}",
            f"helm values.yaml + templates/service.yaml: {{{{ .Release.Name }}}}-{name}, service.type={kind}, service.port={port}, targetPort {target}, selector app: {name}; "
            "files below `# Source:` lines",
            f"{HOW} values.yaml says service.type {kind} and service.port {port}; templates/service.yaml is a Service of these values, named after the release and "
            f"{name}, for the pods app={name} on {target}.",
        ),
        answer=joined(values, template),
        reasoning=("values: service.type and service.port", f"Service selects app={name}"),
        checks=(
            identity("Service", release(name)),
            equals("Service", release(name), "spec.type", kind),
            contains("Service", release(name), "spec.ports", {"port": port, "targetPort": target}),
            equals("Service", release(name), "spec.selector", {"app": name}),
            equals("values", None, "service", {"type": kind, "port": port}),
            contains("template", "templates/service.yaml", "values", "service.port"),
            contains("template", "templates/service.yaml", "values", "service.type"),
        ),
        variant=joined(quoted, values),
        habits=(NO_VALUES, ("targetPort", "target_port")),
    )


@family("config-map", difficulty=2)
def config_map(draw: Draw) -> Draft:
    name, key, value = draw.name(), draw.choice(("LOG_LEVEL", "REGION", "TIER")), draw.word()
    values = ("values.yaml", f"config:\n  {key}: {value}\n")
    body = head("v1", "ConfigMap", name)
    template = (
        "templates/configmap.yaml",
        f"{body}data:\n  {{{{- toYaml .Values.config | nindent 2 }}}}\n",
    )
    loop = "data:\n  {{- range $key, $value := .Values.config }}\n  {{ $key }}: {{ $value | quote }}\n  {{- end }}\n"
    return Draft(
        wordings=(
            f"Write values.yaml and templates/configmap.yaml: the ConfigMap {{{{ .Release.Name }}}}-{name} holds every entry of the values' mapping config, which is "
            f"{key}: {value} by default. {HOW}",
            f"helm: values config={{{key}: {value}}}; templates/configmap.yaml {{{{ .Release.Name }}}}-{name} with all of .Values.config; `# Source:` lines",
            f"{HOW} All entries of config in values.yaml ({key} is {value}) go into a ConfigMap, templates/configmap.yaml, named after the release and {name}.",
        ),
        answer=joined(values, template),
        reasoning=(f"values: config with {key}", "data is config, two spaces deep"),
        checks=(
            identity("ConfigMap", release(name)),
            equals("ConfigMap", release(name), "data", {key: value}),
            equals("values", None, "config", {key: value}),
            contains("template", "templates/configmap.yaml", "values", "config"),
        ),
        variant=joined(values, ("templates/configmap.yaml", body + loop)),
        habits=(("toYaml .Values.config", "to_yaml .Values.config"), ("nindent 2", "indent 0")),
    )


@family("secret", difficulty=2)
def secret(draw: Draw) -> Draft:
    name, user = draw.name(), draw.word()
    values = ("values.yaml", f"database:\n  user: {user}\n")
    body = f"{head('v1', 'Secret', name)}type: Opaque\n"
    template = (
        "templates/secret.yaml",
        f"{body}stringData:\n  user: {{{{ .Values.database.user | quote }}}}\n",
    )
    return Draft(
        wordings=(
            f"Write values.yaml and templates/secret.yaml: an Opaque Secret {{{{ .Release.Name }}}}-{name} with stringData.user from database.user, {user} by default. {HOW}",
            f"helm: database.user={user}; templates/secret.yaml Opaque {{{{ .Release.Name }}}}-{name}, stringData.user; `# Source:` lines",
            f"{HOW} The Secret of templates/secret.yaml (Opaque, named after the release and {name}) has the key user in stringData; its value is database.user of "
            f"values.yaml, {user}.",
        ),
        answer=joined(values, template),
        reasoning=(f"values: database.user {user}", "Secret with stringData, quoted"),
        checks=(
            identity("Secret", release(name)),
            equals("Secret", release(name), "type", "Opaque"),
            equals("Secret", release(name), "stringData.user", user),
            equals("values", None, "database.user", user),
            contains("template", "templates/secret.yaml", "values", "database.user"),
        ),
        variant=joined(
            values,
            (
                "templates/secret.yaml",
                body
                + 'stringData:\n  user: {{ required "set database.user" .Values.database.user }}\n',
            ),
        ),
        habits=(("stringData:", "string_data:"), ("| quote }}", "| quoted }}")),
    )


@family("deployment", difficulty=3)
def deployment(draw: Draw) -> Draft:
    name, image, tag, replicas, port = (
        draw.name(),
        draw.choice(IMAGES),
        draw.choice(TAGS),
        draw.integer(2, 9),
        draw.port(),
    )
    values = (
        "values.yaml",
        f'replicaCount: {replicas}\nimage:\n  repository: {image}\n  tag: "{tag}"\n',
    )
    container = f'          image: "{{{{ .Values.image.repository }}}}:{{{{ .Values.image.tag }}}}"\n          ports:\n            - containerPort: {port}\n'
    text = workload("Deployment", name, "  replicas: {{ .Values.replicaCount }}\n", container)
    printed = text.replace(
        '"{{ .Values.image.repository }}:{{ .Values.image.tag }}"',
        '{{ printf "%s:%s" .Values.image.repository .Values.image.tag | quote }}',
    )
    return Draft(
        wordings=(
            f"Write values.yaml and templates/deployment.yaml: the Deployment {{{{ .Release.Name }}}}-{name} with replicaCount ({replicas}) replicas of image.repository "
            f"({image}) and image.tag ({tag}), container port {port}. {HOW}",
            f"helm deployment {{{{ .Release.Name }}}}-{name}: replicaCount={replicas}, image.repository={image}, image.tag={tag}, port {port}; values.yaml and "
            "templates/deployment.yaml below `# Source:` lines",
            f"{HOW} values.yaml: replicaCount {replicas}, image.repository {image}, image.tag {tag}. templates/deployment.yaml: a Deployment of them, named after the "
            f"release and {name}, that listens on {port}.",
        ),
        answer=joined(values, ("templates/deployment.yaml", text)),
        reasoning=("values: replicaCount, image", "Deployment of them, selector like the labels"),
        checks=(
            identity("Deployment", release(name)),
            equals("Deployment", release(name), "spec.replicas", replicas),
            equals(
                "Deployment",
                release(name),
                "spec.template.spec.containers[0].image",
                f"{image}:{tag}",
            ),
            contains(
                "Deployment",
                release(name),
                "spec.template.spec.containers[0].ports",
                {"containerPort": port},
            ),
            contains("template", "templates/deployment.yaml", "values", "replicaCount"),
            contains("template", "templates/deployment.yaml", "values", "image.tag"),
            contains("template", "templates/deployment.yaml", "values", "image.repository"),
        ),
        variant=joined(values, ("templates/deployment.yaml", printed)),
        habits=(("apiVersion: apps/v1", "apiVersion: extensions/v1beta1"), NO_VALUES),
    )


@family("environment", difficulty=3)
def environment(draw: Draw) -> Draft:
    name, image, key, value = draw.name(), draw.choice(IMAGES), draw.constant(), draw.word()
    values = ("values.yaml", f"env:\n  {key}: {value}\n")
    loop = (
        f"          image: {image}:1.0\n          env:\n            {{{{- range $name, $value := .Values.env }}}}\n"
        "            - name: {{ $name }}\n              value: {{ $value | quote }}\n            {{- end }}\n"
    )
    text = workload("DaemonSet", name, "", loop)
    return Draft(
        wordings=(
            f"Write values.yaml and templates/daemonset.yaml: the DaemonSet {{{{ .Release.Name }}}}-{name} of {image}:1.0 gets one environment variable for each entry of "
            f"the mapping env, {key}: {value} by default. {HOW}",
            f"helm daemonset {{{{ .Release.Name }}}}-{name} {image}:1.0, env from range over .Values.env ({key}={value}); values.yaml, templates/daemonset.yaml; `# Source:` lines",
            f"{HOW} A DaemonSet in templates/daemonset.yaml, named after the release and {name}, image {image}:1.0: its variables are whatever env in values.yaml holds; "
            f"there {key} is {value}.",
        ),
        answer=joined(values, ("templates/daemonset.yaml", text)),
        reasoning=(f"values: env with {key}", "range over env, values quoted"),
        checks=(
            identity("DaemonSet", release(name)),
            equals(
                "DaemonSet", release(name), "spec.template.spec.containers[0].image", f"{image}:1.0"
            ),
            equals(
                "DaemonSet",
                release(name),
                "spec.template.spec.containers[0].env",
                [{"name": key, "value": value}],
            ),
            equals("values", None, "env", {key: value}),
            contains("template", "templates/daemonset.yaml", "values", "env"),
        ),
        variant=joined(
            values,
            ("templates/daemonset.yaml", text.replace("$name", "$key").replace("$value", "$text")),
        ),
        habits=(("            {{- end }}\n", ""), ("- name: {{ $name }}", "- name: {{ .name }}")),
    )


@family("optional-ingress", difficulty=3)
def optional_ingress(draw: Draw) -> Draft:
    name, host, port = draw.name(), draw.domain(), draw.port()
    values = ("values.yaml", f"ingress:\n  enabled: true\n  host: {host}\n")
    rule = (
        "spec:\n  rules:\n    - host: {{ .Values.ingress.host | quote }}\n      http:\n        paths:\n          - path: /\n            pathType: Prefix\n"
        f"            backend:\n              service:\n                name: {{{{ .Release.Name }}}}-{name}\n                port:\n                  number: {port}\n"
    )
    body = head("networking.k8s.io/v1", "Ingress", name) + rule
    path = "templates/ingress.yaml"
    return Draft(
        wordings=(
            f"Write values.yaml and templates/ingress.yaml: if ingress.enabled (true by default), the Ingress {{{{ .Release.Name }}}}-{name} sends / (Prefix) of ingress.host "
            f"({host}) to the Service of the same name on port {port}. {HOW}",
            f"helm ingress {{{{ .Release.Name }}}}-{name}: only if .Values.ingress.enabled (true), host ingress.host={host}, / Prefix -> same name:{port}; `# Source:` lines",
            f"{HOW} templates/ingress.yaml renders an Ingress, named after the release and {name}, only when ingress.enabled is set; values.yaml sets it and ingress.host "
            f"{host}. Path / (Prefix) goes to the Service with the Ingress' own name, port {port}.",
        ),
        answer=joined(
            values, (path, f"{{{{- if .Values.ingress.enabled }}}}\n{body}{{{{- end }}}}\n")
        ),
        reasoning=("values: ingress.enabled and ingress.host", "the whole Ingress stands in an if"),
        checks=(
            identity("Ingress", release(name)),
            equals("Ingress", release(name), "spec.rules[0].host", host),
            equals("Ingress", release(name), "spec.rules[0].http.paths[0].path", "/"),
            equals("Ingress", release(name), "spec.rules[0].http.paths[0].pathType", "Prefix"),
            equals(
                "Ingress",
                release(name),
                "spec.rules[0].http.paths[0].backend.service",
                {"name": release(name), "port": {"number": port}},
            ),
            equals("values", None, "ingress", {"enabled": True, "host": host}),
            contains("template", path, "values", "ingress.enabled"),
            contains("template", path, "values", "ingress.host"),
        ),
        variant=joined(
            values,
            (
                path,
                f"{{{{- with .Values.ingress }}}}\n{{{{- if $.Values.ingress.enabled }}}}\n{body.replace('.Release', '$.Release').replace('.Values.ingress.host', '$.Values.ingress.host')}{{{{- end }}}}\n{{{{- end }}}}\n",
            ),
        ),
        habits=(("networking.k8s.io/v1", "extensions/v1beta1"), ("{{- end }}\n", "")),
    )


@family("autoscaler", difficulty=3)
def autoscaler(draw: Draw) -> Draft:
    name, low, high, share = (
        draw.name(),
        draw.integer(2, 4),
        draw.integer(5, 9),
        draw.choice((60, 70, 80)),
    )
    values = (
        "values.yaml",
        f"autoscaling:\n  minReplicas: {low}\n  maxReplicas: {high}\n  cpu: {share}\n",
    )
    spec = (
        f"spec:\n  scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n    name: {{{{ .Release.Name }}}}-{name}\n"
        "  minReplicas: {{ .Values.autoscaling.minReplicas }}\n  maxReplicas: {{ .Values.autoscaling.maxReplicas }}\n  metrics:\n    - type: Resource\n      resource:\n"
        "        name: cpu\n        target:\n          type: Utilization\n          averageUtilization: {{ .Values.autoscaling.cpu }}\n"
    )
    text, path = (
        head("autoscaling/v2", "HorizontalPodAutoscaler", name) + spec,
        "templates/hpa.yaml",
    )
    inside = text.replace("spec:\n", "{{- $scaling := .Values.autoscaling }}\nspec:\n").replace(
        ".Values.autoscaling.m", "$scaling.m"
    )
    return Draft(
        wordings=(
            f"Write values.yaml and templates/hpa.yaml: the HorizontalPodAutoscaler {{{{ .Release.Name }}}}-{name} (autoscaling/v2) of the Deployment with that name takes "
            f"autoscaling.minReplicas ({low}), autoscaling.maxReplicas ({high}) and autoscaling.cpu ({share} percent utilization). {HOW}",
            f"helm hpa {{{{ .Release.Name }}}}-{name}: autoscaling.minReplicas={low}, maxReplicas={high}, cpu={share}; target Deployment of the same name; `# Source:` lines",
            f"{HOW} values.yaml has autoscaling with minReplicas {low}, maxReplicas {high} and cpu {share}; templates/hpa.yaml is a v2 autoscaler of them for the Deployment, "
            f"both named after the release and {name}.",
        ),
        answer=joined(values, (path, text)),
        reasoning=("values: autoscaling", f"HPA v2: {low} to {high}, cpu {share}"),
        checks=(
            identity("HorizontalPodAutoscaler", release(name)),
            equals("HorizontalPodAutoscaler", release(name), "spec.minReplicas", low),
            equals("HorizontalPodAutoscaler", release(name), "spec.maxReplicas", high),
            equals(
                "HorizontalPodAutoscaler", release(name), "spec.scaleTargetRef.name", release(name)
            ),
            equals(
                "HorizontalPodAutoscaler",
                release(name),
                "spec.metrics[0].resource.target.averageUtilization",
                share,
            ),
            equals(
                "values",
                None,
                "autoscaling",
                {"minReplicas": low, "maxReplicas": high, "cpu": share},
            ),
            contains("template", path, "values", "autoscaling.cpu"),
        ),
        variant=joined(values, (path, inside)),
        habits=(
            ("autoscaling/v2\n", "autoscaling/v2beta1\n"),
            ("averageUtilization", "targetAverageUtilization"),
        ),
    )


@family("cron-job", difficulty=3)
def cron_job(draw: Draw) -> Draft:
    name, image, schedule, word = (
        draw.name(),
        draw.choice(IMAGES),
        draw.choice(SCHEDULES),
        draw.word(),
    )
    values = ("values.yaml", f'schedule: "{schedule}"\nargs:\n  - {word}\n')
    spec = (
        "spec:\n  schedule: {{ .Values.schedule | quote }}\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          restartPolicy: Never\n"
        f"          containers:\n            - name: {name}\n              image: {image}:1.0\n              args:\n                {{{{- toYaml .Values.args | nindent 16 }}}}\n"
    )
    text, path = head("batch/v1", "CronJob", name) + spec, "templates/cronjob.yaml"
    loop = "                {{- range .Values.args }}\n                - {{ . | quote }}\n                {{- end }}\n"
    return Draft(
        wordings=(
            f"Write values.yaml and templates/cronjob.yaml: the CronJob {{{{ .Release.Name }}}}-{name} runs {image}:1.0 (restart policy Never) on the values' schedule "
            f'"{schedule}" with the list args, by default only {word}. {HOW}',
            f"helm cronjob {{{{ .Release.Name }}}}-{name}: {image}:1.0, schedule={schedule}, args=[{word}] from values, Never; `# Source:` lines",
            f"{HOW} In values.yaml: schedule {schedule}, args with the one item {word}. templates/cronjob.yaml uses both for a CronJob of {image}:1.0, named after the release "
            f"and {name}; its pods never restart.",
        ),
        answer=joined(values, (path, text)),
        reasoning=(f"values: schedule {schedule}, args", "CronJob in batch/v1, schedule quoted"),
        checks=(
            identity("CronJob", release(name)),
            equals("CronJob", release(name), "spec.schedule", schedule),
            equals(
                "CronJob",
                release(name),
                "spec.jobTemplate.spec.template.spec.containers[0].image",
                f"{image}:1.0",
            ),
            equals(
                "CronJob",
                release(name),
                "spec.jobTemplate.spec.template.spec.containers[0].args",
                [word],
            ),
            equals(
                "CronJob",
                release(name),
                "spec.jobTemplate.spec.template.spec.restartPolicy",
                "Never",
            ),
            equals("values", None, "args", [word]),
            contains("template", path, "values", "schedule"),
            contains("template", path, "values", "args"),
        ),
        variant=joined(
            values,
            (path, text.replace("                {{- toYaml .Values.args | nindent 16 }}\n", loop)),
        ),
        habits=(("batch/v1\n", "batch/v1beta1\n"), ("nindent 16", "nindent 9")),
    )


@family("hook", difficulty=2, held_out=True)
def hook(draw: Draw) -> Draft:
    name, image, when, limit = (
        draw.name(),
        draw.choice(IMAGES),
        draw.choice(("pre-upgrade", "post-install", "pre-install")),
        draw.integer(1, 4),
    )
    notes = f"  annotations:\n    helm.sh/hook: {when}\n    helm.sh/hook-delete-policy: hook-succeeded\n"
    spec = f"spec:\n  backoffLimit: {limit}\n  template:\n    spec:\n      restartPolicy: Never\n      containers:\n        - name: {name}\n          image: {image}:1.0\n"
    answer = head("batch/v1", "Job", name) + notes + spec
    return Draft(
        wordings=(
            f"Write a Helm template: the Job {{{{ .Release.Name }}}}-{name} of {image}:1.0 is a {when} hook that is deleted when it has succeeded; backoff limit {limit}, never restarted.",
            f"helm hook Job {{{{ .Release.Name }}}}-{name}: {when}, hook-succeeded, {image}:1.0, backoffLimit {limit}, Never",
            f"Run {image}:1.0 as a Helm hook ({when}). The Job is named after the release and {name}, backs off {limit} times, never restarts, and goes away by the policy "
            "hook-succeeded.",
        ),
        answer=answer,
        reasoning=(f"Job with the hook {when}", "delete policy hook-succeeded"),
        checks=(
            identity("Job", release(name)),
            equals("Job", release(name), 'metadata.annotations."helm.sh/hook"', when),
            equals(
                "Job",
                release(name),
                'metadata.annotations."helm.sh/hook-delete-policy"',
                "hook-succeeded",
            ),
            equals("Job", release(name), "spec.backoffLimit", limit),
            equals("Job", release(name), "spec.template.spec.containers[0].image", f"{image}:1.0"),
            equals("Job", release(name), "spec.template.spec.restartPolicy", "Never"),
        ),
        variant=answer.replace(f"helm.sh/hook: {when}", f'"helm.sh/hook": {when!r}'),
        habits=(("helm.sh/hook:", "helm/hook:"), ("      restartPolicy: Never\n", "")),
    )


@family("volume-claim", difficulty=2)
def volume_claim(draw: Draw) -> Draft:
    name, size, mode = (
        draw.name(),
        f"{draw.number(3, 900)}Gi",
        draw.choice(("ReadWriteOnce", "ReadWriteMany")),
    )
    values = ("values.yaml", f"persistence:\n  size: {size}\n")
    spec = f"spec:\n  accessModes: [{mode}]\n  resources:\n    requests:\n      storage: {{{{ .Values.persistence.size }}}}\n"
    text, path = head("v1", "PersistentVolumeClaim", name) + spec, "templates/pvc.yaml"
    return Draft(
        wordings=(
            f"Write values.yaml and templates/pvc.yaml: the claim {{{{ .Release.Name }}}}-{name} ({mode}) asks for persistence.size, {size} by default. {HOW}",
            f"helm pvc {{{{ .Release.Name }}}}-{name}: {mode}, storage persistence.size={size}; values.yaml, templates/pvc.yaml; `# Source:` lines",
            f"{HOW} templates/pvc.yaml is a PersistentVolumeClaim with {mode}, named after the release and {name}; how much it claims says persistence.size in values.yaml: {size}.",
        ),
        answer=joined(values, (path, text)),
        reasoning=(f"values: persistence.size {size}", f"claim with {mode}"),
        checks=(
            identity("PersistentVolumeClaim", release(name)),
            contains("PersistentVolumeClaim", release(name), "spec.accessModes", mode),
            equals("PersistentVolumeClaim", release(name), "spec.resources.requests.storage", size),
            equals("values", None, "persistence.size", size),
            contains("template", path, "values", "persistence.size"),
        ),
        variant=joined(
            values,
            (
                path,
                text.replace(f"[{mode}]", f"\n    - {mode}").replace("size }}", "size | quote }}"),
            ),
        ),
        habits=(("    requests:\n", "    limits:\n"), NO_VALUES),
    )


@family("disruption-budget", difficulty=2, held_out=True)
def disruption_budget(draw: Draw) -> Draft:
    name, least = draw.name(), draw.integer(1, 4)
    values = ("values.yaml", f"pdb:\n  minAvailable: {least}\n")
    spec = f"spec:\n  minAvailable: {{{{ .Values.pdb.minAvailable }}}}\n  selector:\n    matchLabels:\n      app: {name}\n"
    text, path = head("policy/v1", "PodDisruptionBudget", name) + spec, "templates/pdb.yaml"
    return Draft(
        wordings=(
            f"Write values.yaml and templates/pdb.yaml: the PodDisruptionBudget {{{{ .Release.Name }}}}-{name} keeps pdb.minAvailable ({least}) of the pods app={name}. {HOW}",
            f"helm pdb {{{{ .Release.Name }}}}-{name}: pdb.minAvailable={least}, app: {name}; values.yaml, templates/pdb.yaml; `# Source:` lines",
            f"{HOW} At least pdb.minAvailable ({least} in values.yaml) pods of app={name} must stay: write templates/pdb.yaml, named after the release and {name}.",
        ),
        answer=joined(values, (path, text)),
        reasoning=(f"values: pdb.minAvailable {least}", "PodDisruptionBudget in policy/v1"),
        checks=(
            identity("PodDisruptionBudget", release(name)),
            equals("PodDisruptionBudget", release(name), "spec.minAvailable", least),
            equals(
                "PodDisruptionBudget", release(name), "spec.selector.matchLabels", {"app": name}
            ),
            contains("template", path, "values", "pdb.minAvailable"),
        ),
        variant=joined(values, (path, text.replace("minAvailable }}", "minAvailable | int }}"))),
        habits=(("policy/v1\n", "policy/v1beta1\n"), NO_VALUES),
    )
