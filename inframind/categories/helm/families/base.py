"""The families of Helm and the pieces their answers share."""

from inframind.bench.family import Families

FAMILIES = Families("helm")
family = FAMILIES.family
HOW = "Put the files into one text, each below a line `# Source: PATH`."
IMAGES = ("nginx", "redis", "httpd", "node", "busybox", "golang")
TAGS = ("1.27", "7.4", "2.4", "1.36", "1.24")


def joined(*files: tuple[str, str]) -> str:
    """Several files of a chart in one text."""
    return "---\n".join(f"# Source: {path}\n{text}" for path, text in files)


def metadata(name: str, version: str, more: str = "") -> tuple[str, str]:
    """A Chart.yaml."""
    return "Chart.yaml", f"apiVersion: v2\nname: {name}\nversion: {version}\n{more}"


def helpers(name: str) -> tuple[str, str]:
    """A `_helpers.tpl` with the labels of a chart."""
    body = f"app.kubernetes.io/name: {name}\napp.kubernetes.io/instance: {{{{ .Release.Name }}}}\n"
    return "templates/_helpers.tpl", f'{{{{- define "{name}.labels" -}}}}\n{body}{{{{- end -}}}}\n'


def labels(name: str, indent: int) -> str:
    """Includes the labels as lines."""
    return f'{" " * indent}{{{{- include "{name}.labels" . | nindent {indent} }}}}\n'


def head(api: str, kind: str, name: str) -> str:
    """The beginning of an object; its name begins with the release's."""
    return f"apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: {{{{ .Release.Name }}}}-{name}\n"


def workload(kind: str, name: str, spec: str, container: str) -> str:
    """A workload whose labels are written out; `container` is indented by ten."""
    return (
        f"{head('apps/v1', kind, name)}spec:\n{spec}  selector:\n    matchLabels:\n      app: {name}\n"
        f"  template:\n    metadata:\n      labels:\n        app: {name}\n    spec:\n      containers:\n        - name: {name}\n{container}"
    )
