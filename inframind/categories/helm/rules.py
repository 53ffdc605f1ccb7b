"""The rules for Helm charts: those of the templates, and Kubernetes' own for what they render."""

from inframind.categories.base import Rule
from inframind.categories.kubernetes import rules as kubernetes
from inframind.categories.shared import rules as duties

DOCS = "https://helm.sh/docs/"
GUIDE = DOCS + "chart_template_guide/"

SYNTAX = duties.SYNTAX.rule(
    "https://pkg.go.dev/text/template", "Go templates whose blocks are closed"
)
YAML = duties.SYNTAX.rule(
    DOCS + "topics/charts/#the-chartyaml-file", "Chart.yaml and values.yaml are YAML mappings"
)
EMPTY = duties.WRONG_DOCUMENT.rule(
    GUIDE, "a template, a Chart.yaml, a values.yaml, or several files with `# Source:` lines"
)
CHART = duties.field_rules(DOCS + "topics/charts/#the-chartyaml-file", "Chart.yaml")
DUPLICATE = duties.DUPLICATE.rule(
    DOCS + "topics/charts/#chart-dependencies", "dependencies", rung="schema"
)
VERSION = Rule(
    "invalid-version",
    "schema",
    "Versions are SemVer, in quotes where YAML would read a number",
    DOCS + "topics/charts/#charts-and-versioning",
)
FUNCTION = duties.INVALID_ARGUMENTS.rule(
    GUIDE + "function_list/", "functions of Go, Sprig and Helm"
)
RENDERED = Rule(
    "rendered-yaml",
    "schema",
    "A template renders to YAML: indentation fits",
    GUIDE + "yaml_techniques/",
)
VARIABLE = duties.UNDEFINED.rule(GUIDE + "variables/", "variables, in their block")
NAMED = duties.UNDEFINED.rule(
    GUIDE + "named_templates/", "named templates that a whole chart includes"
)
VALUE = duties.UNDEFINED.rule(
    GUIDE + "values_files/", "values that are printed are given or have a default"
)
RENDER = Rule(
    "render",
    "references",
    "Rendering does not fail: no fields of nil, no failing function",
    GUIDE + "debugging/",
)

NAMESPACE = Rule(
    "fixed-namespace",
    "policy",
    "Templates leave the namespace to the release",
    DOCS + "chart_best_practices/templates/",
    "info",
)
SECRET_VALUE = duties.PLAIN_SECRET.rule(DOCS + "chart_best_practices/values/", "default values")
DEPENDENCY = duties.UNPINNED.rule(
    DOCS + "chart_best_practices/dependencies/",
    "dependencies have an upper bound or are exact",
    severity="info",
)
LABELS = Rule(
    "standard-labels",
    "policy",
    "Rendered objects have the recommended labels",
    DOCS + "chart_best_practices/labels/",
    "info",
)

RULES = (
    *duties.declared(vars()),
    *(rule for rule in kubernetes.RULES if rule not in (kubernetes.YAML, kubernetes.NO_OBJECT)),
)
