"""Task families for single files of a chart."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, contains, equals, identity
from inframind.categories.helm.families.base import family, head

VERSIONS = ("0.1.0", "1.4.0", "2.0.3", "0.9.2")


@family("chart-metadata", difficulty=1)
def chart_metadata(draw: Draw) -> Draft:
    name, version, word, app = (
        draw.name(),
        draw.choice(VERSIONS),
        draw.word(),
        draw.choice(("1.16", "2.4", "3.1")),
    )
    answer = f'apiVersion: v2\nname: {name}\ndescription: {word}\ntype: application\nversion: {version}\nappVersion: "{app}"\n'
    return Draft(
        wordings=(
            f"Write the Chart.yaml (v2) of the application chart {name}: version {version}, app version {app}, description {word}.",
            f"helm Chart.yaml: {name} {version}, appVersion {app}, description {word}, application",
            f"We start a Helm chart called {name}. Version {version}, it ships app version {app}, its description is {word}, the type application.",
        ),
        answer=answer,
        reasoning=(f"chart {name} {version}", f"appVersion {app} in quotes"),
        checks=(
            identity("chart", name),
            equals("chart", name, "apiVersion", "v2"),
            equals("chart", name, "version", version),
            equals("chart", name, "appVersion", app),
            equals("chart", name, "description", word),
            equals("chart", name, "type", "application"),
        ),
        variant="\n".join(sorted(answer.replace(f'"{app}"', f"'{app}'").splitlines())) + "\n",
        habits=((f'"{app}"', app), ("apiVersion: v2", "apiVersion: v3")),
    )


@family("dependency", difficulty=2)
def dependency(draw: Draw) -> Draft:
    name, version, other, host = draw.name(), draw.choice(VERSIONS), draw.name(), draw.domain()
    fields = (
        f"    version: ~{version}\n    repository: https://{host}\n    condition: {other}.enabled\n"
    )
    answer = (
        f"apiVersion: v2\nname: {name}\nversion: 0.1.0\ndependencies:\n  - name: {other}\n{fields}"
    )
    return Draft(
        wordings=(
            f"Write the Chart.yaml (v2) of {name}, version 0.1.0, that depends on {other} ~{version} from https://{host} under the condition {other}.enabled.",
            f"Chart.yaml {name} 0.1.0, dependency {other} ~{version} https://{host} condition {other}.enabled",
            f"The chart {name} (0.1.0) needs the chart {other}, version ~{version}, of the repository https://{host}; it is switched by {other}.enabled.",
        ),
        answer=answer,
        reasoning=(f"chart {name} 0.1.0", f"dependency {other} ~{version}"),
        checks=(
            identity("chart", name),
            equals("chart", name, "version", "0.1.0"),
            contains(
                "chart",
                name,
                "dependencies",
                {
                    "name": other,
                    "version": f"~{version}",
                    "repository": f"https://{host}",
                    "condition": f"{other}.enabled",
                },
            ),
        ),
        variant=answer.replace(f"~{version}", f'"~{version}"').replace(
            "version: 0.1.0\n", "version: 0.1.0\ntype: application\n"
        ),
        habits=(
            ("dependencies:", "requirements:"),
            ("    repository: https://", "    repository: "),
        ),
    )


@family("library-chart", difficulty=1, held_out=True)
def library_chart(draw: Draw) -> Draft:
    name, version, person, domain = draw.name(), draw.choice(VERSIONS), draw.word(), draw.domain()
    answer = f"apiVersion: v2\nname: {name}\nversion: {version}\ntype: library\nmaintainers:\n  - name: {person}\n    email: {person}@{domain}\n"
    return Draft(
        wordings=(
            f"Write the Chart.yaml (v2) of the library chart {name}, version {version}, maintained by {person} ({person}@{domain}).",
            f"Chart.yaml: library {name} {version}, maintainer {person} {person}@{domain}",
            f"{name} is a Helm library chart in version {version}; {person}, {person}@{domain}, maintains it. Write its metadata.",
        ),
        answer=answer,
        reasoning=(f"chart {name} {version}, type library", f"maintainer {person}"),
        checks=(
            identity("chart", name),
            equals("chart", name, "version", version),
            equals("chart", name, "type", "library"),
            equals("chart", name, "maintainers", [{"name": person, "email": f"{person}@{domain}"}]),
        ),
        variant=answer.replace(
            f"  - name: {person}\n    email: {person}@{domain}",
            f"  - email: {person}@{domain}\n    name: {person}",
        ),
        habits=(("type: library", "type: lib"), ("    email:", "    mail:")),
    )


@family("default-values", difficulty=1)
def default_values(draw: Draw) -> Draft:
    repository, tag, port, replicas = (
        draw.name(),
        draw.choice(("1.0", "1.2", "2.4")),
        draw.port(),
        draw.integer(2, 9),
    )
    answer = (
        f'replicaCount: {replicas}\nimage:\n  repository: registry.example.com/{repository}\n  tag: "{tag}"\nservice:\n  port: {port}\n'
        "ingress:\n  enabled: false\n"
    )
    return Draft(
        wordings=(
            f"Write a values.yaml: replicaCount {replicas}, image.repository registry.example.com/{repository}, image.tag {tag} (a text), service.port {port}, "
            "ingress.enabled false.",
            f"helm values: replicaCount={replicas}, image registry.example.com/{repository} tag {tag}, service.port={port}, ingress.enabled=false",
            f"Default values for our chart: {replicas} replicas (replicaCount), the image registry.example.com/{repository} with the tag {tag} as a text, "
            f"service.port {port}, and no ingress (ingress.enabled).",
        ),
        answer=answer,
        reasoning=("replicaCount, image, service.port", "ingress off"),
        checks=(
            identity("values"),
            equals("values", None, "replicaCount", replicas),
            equals(
                "values",
                None,
                "image",
                {"repository": f"registry.example.com/{repository}", "tag": tag},
            ),
            equals("values", None, "service.port", port),
            equals("values", None, "ingress.enabled", False),
        ),
        variant=answer.replace(f'"{tag}"', f"'{tag}'").replace(
            f"service:\n  port: {port}", f"service: {{port: {port}}}"
        ),
        habits=((f'"{tag}"', tag), ("enabled: false", "enabled: no")),
    )


@family("named-template", difficulty=2)
def named_template(draw: Draw) -> Draft:
    name, team = draw.name(), draw.word()
    begin, end = f'{{{{- define "{name}.labels" -}}}}\n', "{{- end }}\n"
    lines = f"app.kubernetes.io/name: {name}\nteam: {team}\n"
    use = f'{head("v1", "ServiceAccount", name)}  labels:\n    {{{{- include "{name}.labels" . | nindent 4 }}}}\n'
    return Draft(
        wordings=(
            f"Write one Helm template file: it defines {name}.labels (app.kubernetes.io/name: {name}, team: {team}) and a ServiceAccount named after the "
            f"release and {name} (RELEASE-{name}) that includes them.",
            f"helm template: define {name}.labels with app.kubernetes.io/name={name}, team={team}; ServiceAccount {{{{ .Release.Name }}}}-{name} includes it",
            f"A ServiceAccount for Helm, called after the release with -{name} behind it. Its labels come from the named template {name}.labels in the same file: "
            f"app.kubernetes.io/name {name} and team {team}.",
        ),
        answer=begin + lines + end + use,
        reasoning=(f"define {name}.labels", "ServiceAccount includes it with nindent 4"),
        checks=(
            identity("ServiceAccount", f"release-name-{name}"),
            equals("ServiceAccount", f"release-name-{name}", "metadata.labels.team", team),
            equals(
                "ServiceAccount",
                f"release-name-{name}",
                'metadata.labels."app.kubernetes.io/name"',
                name,
            ),
            contains("template", None, "defines", f"{name}.labels"),
            contains("template", None, "includes", f"{name}.labels"),
        ),
        variant=use.replace(" . | nindent 4 }}", " $ | nindent 4 }}") + begin + lines + end,
        habits=(("nindent 4", "indent 1"), ("{{- end }}\n", "")),
    )
