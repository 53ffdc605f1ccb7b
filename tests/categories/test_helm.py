"""Helm: templates render as Helm 4.1.4 renders them, and what only a release knows stays open."""

from typing import Any

import pytest

from inframind.categories.helm.chart import parsed
from inframind.categories.helm.objects import render
from inframind.categories.helm.values import readable
from inframind.types import VerifyRequest
from inframind.verifier.ladder import score

VALUES = """# Source: values.yaml
name: web
port: 80
on: true
list: [a, b]
map: {x: 1, y: {z: t}}
empty: {}
text: |
  one
  two
---
"""


def rendered(template: str, values: str = VALUES) -> Any:
    """The one object that a template renders to; what it does not know is a `{{ ... }}` text."""
    documents = render(parsed(f"{values}# Source: templates/a.yaml\n{template}"))
    assert not documents.schema, documents.schema
    assert not documents.references, documents.references
    return readable(documents.items[0][1].fields)


def rules_of(text: str) -> set[str]:
    verdict = score(VerifyRequest(text=text, category="helm", format="file"))
    return {
        finding.rule for finding in verdict.findings if finding.severity in ("error", "unsupported")
    }


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("a: {{ .Values.name }}", "web"),
        ("a: {{ .Values.name | upper | quote }}", "WEB"),
        ('a: {{ printf "%s-%d" .Values.name 3 | trunc 4 | trimSuffix "-" }}', "web"),
        ("a: {{ .Values.missing | default 5 }}", 5),
        ('a: {{ if and .Values.on (eq .Values.name "web") }}yes{{ else }}no{{ end }}', "yes"),
        ("a: {{ if .Values.empty }}x{{ else if .Values.on }}y{{ else }}z{{ end }}", "y"),
        ("a:\n{{- range .Values.list }}\n  - {{ . }}\n{{- end }}", ["a", "b"]),
        ("a:\n{{- range $k, $v := .Values.map }}\n  - {{ $k }}\n{{- end }}", ["x", "y"]),
        ("a: {{ with .Values.map }}{{ .y.z }}{{ end }}", "t"),
        ("a:\n  {{- toYaml .Values.map | nindent 2 }}", {"x": 1, "y": {"z": "t"}}),
        ("a: |\n  {{- .Values.text | nindent 2 }}", "one\ntwo\n"),
        ("{{- $n := 1 }}{{- if .Values.on }}{{- $n = 2 }}{{- end }}a: {{ $n }}", 2),
        ('{{- define "t" }}{{ .Values.name }}!{{ end -}}\na: {{ include "t" . | quote }}', "web!"),
        ("a: {{ .Release.Name }}", "release-name"),
        ('a: {{ index .Values.map "y" "z" }}', "t"),
        ("a: {{ ternary 1 2 .Values.on }}", 1),
        ('a: {{ list "b" "a" | sortAlpha | join "," }}', "a,b"),
        ("a: {{- /* a comment */}} b", "b"),
        ("a: {{ len .Values.list | add 1 }}", 3),
        ('a: {{ dict "k" "v" | toJson }}', {"k": "v"}),
    ],
)
def test_templates_render_as_helm_renders_them(template: str, value: object) -> None:
    assert rendered(template)["a"] == value


def test_what_only_a_release_knows_stays_open() -> None:
    text = (
        "a: {{ .Values.port }}\nb: {{ .Values.image.tag | quote }}\nc:\n"
        "  {{- toYaml .Values.more | nindent 2 }}\n  d: 1"
    )
    documents = rendered(text, "")
    assert documents["a"] == "{{ .Values.port }}"
    assert documents["b"] == "{{ .Values.image.tag | quote }}"
    assert documents["c"]["d"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "{{ if .a }}x",
        "{{ end }}",
        "{{ else }}",
        "{{ if }}x{{ end }}",
        "{{ .a | }}",
        "{{ (.a }}",
        '{{ "a }}',
        "{{ define }}x{{ end }}",
        "{{ break }}",
        "{{ range .a }}{{ else }}{{ else }}{{ end }}",
        "{{ /* open",
        "{{ .a",
        "{{ .a | nindent 1e4004 }}",
    ],
)
def test_what_go_does_not_parse(text: str) -> None:
    assert rules_of(f"# Source: templates/a.yaml\n{text}\n") == {"syntax"}


def test_numbers_are_read_as_go_reads_them() -> None:
    kind = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n"
    data = rendered(kind + '  a: "{{ 0x1F }} {{ 010 }} {{ 089 }} {{ 1_000 }} {{ 1.5 }}"\n')["data"]
    assert data == {"a": "31 8 89 1000 1.5"}


def test_the_helper_of_a_single_file_may_stand_elsewhere() -> None:
    object_text = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ include "web.name" . }}\n'
    assert not rules_of(object_text)
    chart = "# Source: Chart.yaml\napiVersion: v2\nname: web\nversion: 0.1.0\n"
    assert rules_of(f"{chart}# Source: templates/a.yaml\n{object_text}") == {"undefined"}


@pytest.mark.parametrize(
    "text",
    [
        '{{ include "a" . }}',
        "{{ range until 1000000 }}x{{ end }}",
        '{{ repeat 1000000 "abc" }}',
        "{{ range until 900 }}" * 4 + "x" + "{{ end }}" * 4,
    ],
)
def test_a_template_cannot_run_away(text: str) -> None:
    assert rules_of(
        f"# Source: templates/a.yaml\n"
        f'{{{{ define "a" }}}}{{{{ include "a" . }}}}{{{{ end }}}}\na: {text}\n'
    )
