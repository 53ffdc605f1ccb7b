"""The rules for Helm charts: those of the templates, and Kubernetes' own for what they render."""

from inframind.categories.base import Rule
from inframind.categories.kubernetes import rules as kubernetes

DOCS = "https://helm.sh/docs/"
GUIDE = DOCS + "chart_template_guide/"

SYNTAX = Rule(
    "template-syntax",
    "parse",
    "Templates are Go templates whose blocks are closed",
    "https://pkg.go.dev/text/template",
)
YAML = Rule(
    "yaml",
    "parse",
    "Chart.yaml and values.yaml are YAML mappings",
    DOCS + "topics/charts/#the-chartyaml-file",
)
EMPTY = Rule(
    "no-file",
    "parse",
    "The text is a template, a Chart.yaml, a values.yaml, or several files with `# Source:` lines",
    GUIDE,
)
CHART = Rule(
    "chart",
    "schema",
    "Chart.yaml has Helm's fields with their types",
    DOCS + "topics/charts/#the-chartyaml-file",
)
VERSION = Rule(
    "version",
    "schema",
    "Versions are SemVer, in quotes where YAML would read a number",
    DOCS + "topics/charts/#charts-and-versioning",
)
FUNCTION = Rule(
    "function",
    "schema",
    "Functions are Go's, Sprig's or Helm's, with as many arguments as they take",
    GUIDE + "function_list/",
)
RENDERED = Rule(
    "rendered-yaml",
    "schema",
    "A template renders to YAML: indentation fits",
    GUIDE + "yaml_techniques/",
)
VARIABLE = Rule(
    "variable", "references", "Variables are declared in their block", GUIDE + "variables/"
)
NAMED = Rule(
    "named-template",
    "references",
    "Named templates that a whole chart includes are defined in it",
    GUIDE + "named_templates/",
)
VALUE = Rule(
    "value",
    "references",
    "Values that are printed are given or have a default",
    GUIDE + "values_files/",
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
SECRET_VALUE = Rule(
    "secret-value",
    "policy",
    "Default values hold no secrets",
    DOCS + "chart_best_practices/values/",
    "warning",
)
DEPENDENCY = Rule(
    "open-dependency",
    "policy",
    "Dependencies have an upper bound or are exact",
    DOCS + "chart_best_practices/dependencies/",
    "info",
)
LABELS = Rule(
    "standard-labels",
    "policy",
    "Rendered objects have the recommended labels",
    DOCS + "chart_best_practices/labels/",
    "info",
)

OWN = (
    SYNTAX,
    YAML,
    EMPTY,
    CHART,
    VERSION,
    FUNCTION,
    RENDERED,
    VARIABLE,
    NAMED,
    VALUE,
    RENDER,
    NAMESPACE,
    SECRET_VALUE,
    DEPENDENCY,
    LABELS,
)
RULES = (
    *OWN,
    *(rule for rule in kubernetes.RULES if rule not in (kubernetes.YAML, kubernetes.NO_OBJECT)),
)
