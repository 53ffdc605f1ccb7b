"""Task families for provisioned data sources and dashboard providers."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, equals, identity
from inframind.categories.grafana.families.base import family

HEAD = "apiVersion: 1\n"


@family("prometheus-source", difficulty=1)
def prometheus_source(draw: Draw) -> Draft:
    name, uid, host, port = draw.name(), draw.name(), draw.domain(), draw.port()
    source = f"  - name: {name}\n    type: prometheus\n    uid: {uid}\n    access: proxy\n    url: http://{host}:{port}\n    isDefault: true\n"
    answer = f"{HEAD}datasources:\n{source}"
    return Draft(
        wordings=(
            f"Provision Grafana's default data source {name}: Prometheus at http://{host}:{port}, uid {uid}, access by proxy.",
            f"grafana datasource yaml: {name}, prometheus, uid {uid}, http://{host}:{port}, proxy, default",
            f"Prometheus runs on http://{host}:{port}. Write the provisioning file that makes it Grafana's default source {name} (uid {uid}, proxy).",
        ),
        answer=answer,
        reasoning=(
            f"data source {name}, uid {uid}",
            f"prometheus at http://{host}:{port}, default",
        ),
        checks=(
            identity("datasource", name),
            equals("datasource", name, "type", "prometheus"),
            equals("datasource", name, "uid", uid),
            equals("datasource", name, "url", f"http://{host}:{port}"),
            equals("datasource", name, "isDefault", True),
            equals("datasource", name, "access", "proxy"),
        ),
        variant=answer.replace(f"name: {name}", f'name: "{name}"').replace(
            "    isDefault: true\n", "    editable: false\n    isDefault: true\n"
        ),
        habits=(("datasources:", "data_sources:"), ("isDefault: true", "default: true")),
    )


@family("source-with-secret", difficulty=2)
def source_with_secret(draw: Draw) -> Draft:
    name, host, user, secret = draw.name(), draw.domain(), draw.word(), draw.constant()
    fields = (
        f"    type: loki\n    url: https://{host}\n    basicAuth: true\n    basicAuthUser: {user}\n"
        f"    secureJsonData:\n      basicAuthPassword: ${secret}\n"
    )
    answer = f"{HEAD}datasources:\n  - name: {name}\n{fields}"
    return Draft(
        wordings=(
            f"Provision the Loki data source {name} at https://{host} for Grafana with basic authentication: user {user}, the password from the "
            f"environment variable {secret}.",
            f"grafana datasource {name}: loki https://{host}, basicAuth {user}, password ${secret}",
            f"Write a Grafana provisioning file for Loki ({name}, https://{host}). It wants basic auth as {user}; the secret basicAuthPassword comes from ${secret}.",
        ),
        answer=answer,
        reasoning=(
            f"Loki data source {name}",
            f"basic auth as {user}",
            f"secureJsonData from ${secret}",
        ),
        checks=(
            identity("datasource", name),
            equals("datasource", name, "type", "loki"),
            equals("datasource", name, "url", f"https://{host}"),
            equals("datasource", name, "basicAuth", True),
            equals("datasource", name, "basicAuthUser", user),
            equals("datasource", name, "secureJsonData.basicAuthPassword", f"${secret}"),
        ),
        variant=answer.replace(f"${secret}", f'"${secret}"'),
        habits=(("    secureJsonData:\n  ", ""), (f"${secret}", "secret")),
    )


@family("dashboard-provider", difficulty=1)
def dashboard_provider(draw: Draw) -> Draft:
    name, folder, path, seconds = draw.name(), draw.name(), draw.path(), draw.choice((20, 40, 120))
    fields = f"    folder: {folder}\n    type: file\n    updateIntervalSeconds: {seconds}\n    options:\n      path: {path}\n"
    answer = f"{HEAD}providers:\n  - name: {name}\n{fields}"
    return Draft(
        wordings=(
            f"Write Grafana's provisioning file for dashboards: the provider {name} reads {path} every {seconds} seconds into the folder {folder}.",
            f"grafana dashboard provider {name}: folder {folder}, file, {path}, every {seconds} s",
            f"Dashboards lie in {path}. Grafana should load them into its folder {folder}; the provider is called {name} and looks every {seconds} seconds.",
        ),
        answer=answer,
        reasoning=(f"provider {name} of type file", f"{path} into {folder}, every {seconds} s"),
        checks=(
            identity("provider", name),
            equals("provider", name, "folder", folder),
            equals("provider", name, "options.path", path),
            equals("provider", name, "updateIntervalSeconds", seconds),
        ),
        variant=answer.replace("    type: file\n", "    type: file\n    disableDeletion: true\n"),
        habits=(("    options:\n      path:", "    path:"), ("providers:", "dashboards:")),
    )
