"""Task families of Prometheus' own configuration: difficulty 1 to 3."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, contains, equals, identity
from inframind.categories.prometheus.families.checks import scrapes

FAMILIES = Families("prometheus")
family = FAMILIES.family

INTERVALS = ("10s", "15s", "30s", "1m", "2m")


@family("static-job", difficulty=1)
def static_job(draw: Draw) -> Draft:
    job, host, port, interval = draw.name(), draw.domain(), draw.port(), draw.choice(INTERVALS)
    answer = f'scrape_configs:\n  - job_name: {job}\n    scrape_interval: {interval}\n    static_configs:\n      - targets: ["{host}:{port}"]\n'
    return Draft(
        wordings=(
            f"Write a prometheus.yml that scrapes {host}:{port} every {interval} as the job {job}.",
            f"prometheus scrape job {job}: target {host}:{port}, interval {interval}",
            f"Add {host}, port {port}, to Prometheus ({host}:{port}) as {job}; scrape it every {interval}.",
        ),
        answer=answer,
        reasoning=(f"job {job}, interval {interval}", f"target {host}:{port}"),
        checks=(
            identity("scrape_config", job),
            equals("scrape_config", job, "scrape_interval", interval),
            scrapes(job, f"{host}:{port}"),
        ),
        variant=f"global:\n  scrape_interval: {interval}\nscrape_configs:\n  - static_configs:\n      - targets:\n          - '{host}:{port}'\n    job_name: '{job}'\n",
        habits=(
            ("job_name:", "name:"),
            ("    static_configs:\n      - targets:", "    targets:"),
            (f"{host}:{port}", f"http://{host}:{port}/metrics"),
        ),
    )


@family("labelled-targets", difficulty=2)
def labelled_targets(draw: Draw) -> Draft:
    job, one, two, path, label = (
        draw.name(),
        draw.domain(),
        draw.domain(),
        f"/{draw.word()}",
        draw.word(),
    )
    port = draw.port()
    answer = (
        f"scrape_configs:\n  - job_name: {job}\n    metrics_path: {path}\n    scheme: https\n    static_configs:\n      - targets:\n"
        f"          - {one}:{port}\n          - {two}:{port}\n        labels:\n          tier: {label}\n"
    )
    return Draft(
        wordings=(
            f"Write a scrape configuration for the job {job}: {one}:{port} and {two}:{port} over https at {path}, both with the label tier={label}.",
            f"prometheus job {job}, https, metrics_path {path}, targets {one}:{port}, {two}:{port}, label tier: {label}",
            f"{one} and {two} expose metrics on port {port} ({one}:{port}, {two}:{port}) under {path} by https. Scrape both in the job {job} and mark them tier: {label}.",
        ),
        answer=answer,
        reasoning=(f"job {job}, https, {path}", f"two targets on {port} with tier {label}"),
        checks=(
            identity("scrape_config", job),
            equals("scrape_config", job, "metrics_path", path),
            equals("scrape_config", job, "scheme", "https"),
            scrapes(job, f"{one}:{port}"),
            scrapes(job, f"{two}:{port}"),
            equals("scrape_config", job, "static_configs[?labels.tier].labels.tier | [0]", label),
        ),
        variant=(
            f"scrape_configs:\n- job_name: {job}\n  scheme: https\n  metrics_path: {path}\n  static_configs:\n"
            f"  - {{labels: {{tier: {label}}}, targets: ['{two}:{port}', '{one}:{port}']}}\n"
        ),
        habits=(
            ("    metrics_path:", "    path:"),
            ("    scheme: https\n", ""),
            (f"          tier: {label}\n", f"          - tier={label}\n"),
        ),
    )


@family("file-discovery", difficulty=2, held_out=True)
def file_discovery(draw: Draw) -> Draft:
    job, folder, minutes = draw.name(), draw.path(), draw.choice((1, 2, 5, 10))
    answer = f"scrape_configs:\n  - job_name: {job}\n    file_sd_configs:\n      - files:\n          - {folder}/*.json\n        refresh_interval: {minutes}m\n"
    return Draft(
        wordings=(
            f"Write a prometheus.yml whose job {job} finds its targets in {folder}/*.json, read again every {minutes} minutes.",
            f"prometheus job {job}: file_sd_configs {folder}/*.json, refresh_interval {minutes}m",
            f"Our targets lie as JSON in {folder}; let the job {job} take {folder}/*.json and look again each {minutes} minutes.",
        ),
        answer=answer,
        reasoning=(f"job {job} with file discovery", f"{folder}/*.json every {minutes}m"),
        checks=(
            identity("scrape_config", job),
            contains("scrape_config", job, "file_sd_configs[].files[]", f"{folder}/*.json"),
            equals("scrape_config", job, "file_sd_configs[0].refresh_interval", f"{minutes}m"),
        ),
        variant=f"scrape_configs: [{{job_name: {job}, file_sd_configs: [{{refresh_interval: {minutes}m, files: ['{folder}/*.json']}}]}}]\n",
        habits=(
            ("file_sd_configs:", "file_sd_config:"),
            ("*.json", "*.toml"),
            ("      - files:\n          - ", "      - file: "),
        ),
    )


@family("basic-auth", difficulty=2)
def basic_auth(draw: Draw) -> Draft:
    job, host, port, user, file = draw.name(), draw.domain(), draw.port(), draw.word(), draw.path()
    answer = (
        f"scrape_configs:\n  - job_name: {job}\n    scheme: https\n    basic_auth:\n      username: {user}\n      password_file: {file}\n"
        f'    static_configs:\n      - targets: ["{host}:{port}"]\n'
    )
    return Draft(
        wordings=(
            f"Write a prometheus.yml that scrapes {host}:{port} over https as {job}, with basic authentication as {user}; the password stands in the file {file}.",
            f"prometheus job {job}: https {host}:{port}, basic_auth {user}, password_file {file}",
            f"The target {host}:{port} of the job {job} asks for a login over https: user {user}, password from {file}. Do not write the password itself.",
        ),
        answer=answer,
        reasoning=(
            f"job {job}, https to {host}:{port}",
            f"basic_auth {user}, password_file {file}",
        ),
        checks=(
            identity("scrape_config", job),
            equals("scrape_config", job, "scheme", "https"),
            equals("scrape_config", job, "basic_auth", {"username": user, "password_file": file}),
            scrapes(job, f"{host}:{port}"),
        ),
        variant=f"scrape_configs:\n- job_name: {job}\n  static_configs:\n  - targets:\n    - {host}:{port}\n  basic_auth: {{password_file: {file}, username: {user}}}\n  scheme: https\n",
        habits=(
            ("password_file:", "password:"),
            ("    basic_auth:\n", "    auth:\n"),
            ("      username:", "      user:"),
        ),
    )


@family("rules-and-alertmanager", difficulty=3)
def rules_and_alertmanager(draw: Draw) -> Draft:
    cluster, host, port, glob, job = (
        draw.name(),
        draw.domain(),
        draw.port(),
        draw.path(),
        draw.name(),
    )
    answer = (
        f"global:\n  evaluation_interval: 30s\n  external_labels:\n    cluster: {cluster}\n\nrule_files:\n  - {glob}/*.yml\n\nalerting:\n  alertmanagers:\n"
        f'    - static_configs:\n        - targets: ["{host}:{port}"]\n\nscrape_configs:\n  - job_name: {job}\n    static_configs:\n      - targets: ["localhost:9090"]\n'
    )
    return Draft(
        wordings=(
            f"Write a prometheus.yml for the cluster {cluster} (external label cluster): rules from {glob}/*.yml every 30s, alerts to the Alertmanager {host}:{port}, and the job {job} scraping localhost:9090.",
            f"prometheus.yml: external_labels cluster={cluster}, evaluation_interval 30s, rule_files {glob}/*.yml, alertmanager {host}:{port}, job {job} localhost:9090",
            f"Prometheus of {cluster}.\n---\nexternal label cluster: {cluster}\nevaluate rules every 30s, from {glob}/*.yml\nAlertmanager at {host}:{port}\njob {job}: localhost:9090",
        ),
        answer=answer,
        reasoning=(
            f"external label cluster {cluster}, rules from {glob}",
            f"Alertmanager {host}:{port}, job {job}",
        ),
        checks=(
            identity("config"),
            equals("config", None, "global.external_labels.cluster", cluster),
            equals("config", None, "global.evaluation_interval", "30s"),
            contains("config", None, "rule_files", f"{glob}/*.yml"),
            contains("alertmanager", None, "targets", f"{host}:{port}"),
            identity("scrape_config", job),
            scrapes(job, "localhost:9090"),
        ),
        variant=answer.replace("rule_files:\n  - ", "rule_files: ['")
        .replace("/*.yml\n", "/*.yml']\n")
        .replace(f'["{host}:{port}"]', f"\n            - {host}:{port}"),
        habits=(
            ("rule_files:", "rules:"),
            ("alertmanagers:", "alertmanager:"),
            ("external_labels:", "labels:"),
        ),
    )


@family("remote-write", difficulty=3)
def remote_write(draw: Draw) -> Draft:
    name, host, user, file, prefix, job = (
        draw.name(),
        draw.domain(),
        draw.word(),
        draw.path(),
        draw.identifier(),
        draw.name(),
    )
    answer = (
        f'scrape_configs:\n  - job_name: {job}\n    static_configs:\n      - targets: ["localhost:9100"]\n\nremote_write:\n  - name: {name}\n'
        f"    url: https://{host}/api/v1/push\n    basic_auth:\n      username: {user}\n      password_file: {file}\n    write_relabel_configs:\n"
        f"      - source_labels: [__name__]\n        regex: {prefix}_.*\n        action: drop\n"
    )
    return Draft(
        wordings=(
            f"Write a prometheus.yml: the job {job} scrapes localhost:9100, and all series but those named {prefix}_.* go to https://{host}/api/v1/push (remote store {name}, user {user}, password in {file}).",
            f"prometheus: job {job} localhost:9100; remote_write {name} https://{host}/api/v1/push basic_auth {user} password_file {file}, drop __name__ {prefix}_.*",
            f"Send what {job} scrapes from localhost:9100 to the remote store {name} at https://{host}/api/v1/push as {user}, with the password from {file}; drop metrics whose name matches {prefix}_.* before.",
        ),
        answer=answer,
        reasoning=(f"job {job}", f"remote_write {name} to {host} as {user}", f"drop {prefix}_.*"),
        checks=(
            identity("remote_write", name),
            equals("remote_write", name, "url", f"https://{host}/api/v1/push"),
            equals("remote_write", name, "basic_auth", {"username": user, "password_file": file}),
            contains(
                "remote_write",
                name,
                "write_relabel_configs",
                {"source_labels": ["__name__"], "regex": f"{prefix}_.*", "action": "drop"},
            ),
            identity("scrape_config", job),
            scrapes(job, "localhost:9100"),
        ),
        variant=(
            f"remote_write:\n- url: 'https://{host}/api/v1/push'\n  name: {name}\n  write_relabel_configs: [{{action: drop, regex: '{prefix}_.*', source_labels: [__name__]}}]\n"
            f"  basic_auth: {{username: {user}, password_file: {file}}}\nscrape_configs:\n- job_name: {job}\n  static_configs: [{{targets: ['localhost:9100']}}]\n"
        ),
        habits=(
            ("        action: drop\n", "        action: keep\n"),
            ("    write_relabel_configs:", "    relabel_configs:"),
            ("[__name__]", "[name]"),
        ),
    )


@family("annotated-pods", difficulty=3)
def annotated_pods(draw: Draw) -> Draft:
    job, namespace, annotation, label = (
        draw.name(),
        draw.name(),
        draw.identifier(),
        draw.identifier(),
    )
    source = f"__meta_kubernetes_pod_annotation_{annotation}"
    answer = (
        f"scrape_configs:\n  - job_name: {job}\n    kubernetes_sd_configs:\n      - role: pod\n        namespaces:\n          names: [{namespace}]\n"
        f'    relabel_configs:\n      - source_labels: [{source}]\n        regex: "true"\n        action: keep\n'
        f"      - source_labels: [__meta_kubernetes_pod_name]\n        target_label: {label}\n"
    )
    return Draft(
        wordings=(
            f"Write a scrape configuration {job} for the pods of the namespace {namespace} whose annotation {annotation} is true ({source}); the pod's name becomes the label {label}.",
            f"prometheus job {job}: kubernetes_sd role pod, namespace {namespace}; keep {source} = true; __meta_kubernetes_pod_name -> {label}",
            f"Discover pods in {namespace} as the job {job}. Keep those with {source} equal to true and copy __meta_kubernetes_pod_name into {label}.",
        ),
        answer=answer,
        reasoning=(
            f"job {job}, pods of {namespace}",
            f"keep {annotation} = true",
            f"pod name as {label}",
        ),
        checks=(
            identity("scrape_config", job),
            equals("scrape_config", job, "kubernetes_sd_configs[0].role", "pod"),
            equals("scrape_config", job, "kubernetes_sd_configs[0].namespaces.names", [namespace]),
            contains(
                "scrape_config",
                job,
                "relabel_configs",
                {"source_labels": [source], "action": "keep", "regex": "true"},
            ),
            contains(
                "scrape_config",
                job,
                "relabel_configs",
                {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": label},
            ),
        ),
        variant=answer.replace(
            f"names: [{namespace}]", f"names:\n            - {namespace}"
        ).replace(f"target_label: {label}", f"target_label: {label}\n        action: replace"),
        habits=(
            ("- role: pod", "- role: pods"),
            ("        action: keep\n", ""),
            ("kubernetes_sd_configs:", "kubernetes_configs:"),
        ),
    )
