"""The rules for Grafana's files, each with its source."""

from inframind.categories.base import Rule

DOCS = "https://grafana.com/docs/grafana/latest/"
MODEL = DOCS + "dashboards/build-dashboards/view-dashboard-json-model/"
PROVISION = DOCS + "administration/provisioning/"
ALERTING = DOCS + "alerting/set-up/provision-alerting-resources/file-provisioning/"
VARIABLES = DOCS + "dashboards/variables/"
PROMQL = "https://prometheus.io/docs/prometheus/latest/querying/basics/"

JSON = Rule(
    "json",
    "parse",
    "A dashboard is one JSON object without repeated keys",
    "https://www.rfc-editor.org/rfc/rfc8259",
)
YAML = Rule("yaml", "parse", "A provisioning file is YAML", "https://yaml.org/spec/1.2.2/")
KIND = Rule(
    "unknown-file", "parse", "The file is a dashboard, or provisions what Grafana knows", PROVISION
)
SCHEMA = Rule("schema", "schema", "Fields and types are those of Grafana's dashboard schema", MODEL)
PROVISIONING = Rule(
    "provisioning",
    "schema",
    "Fields and types are those of Grafana's provisioning files",
    PROVISION,
)
PLUGIN = Rule(
    "foreign-panel",
    "schema",
    "Panels of plugins are not verified",
    DOCS + "panels-visualizations/visualizations/",
    "unsupported",
)
GRID = Rule(
    "grid",
    "schema",
    "A panel lies within the 24 columns and has a size",
    MODEL + "#panel-size-and-position",
)
TIME = Rule(
    "time",
    "schema",
    "Times are `now` expressions or dates, refresh and intervals are durations",
    DOCS + "dashboards/use-dashboards/",
)
TARGET = Rule("target", "schema", "A query has what its data source reads", DOCS + "datasources/")
PROMQL_SYNTAX = Rule("promql", "schema", "Prometheus queries parse", PROMQL)
PANEL_ID = Rule("panel-id", "references", "Panel ids are unique, and refIds within a panel", MODEL)
VARIABLE = Rule("variable", "references", "Variables that are used are defined once", VARIABLES)
EXPRESSION = Rule(
    "expression",
    "references",
    "Expressions and conditions refer to queries that are there",
    DOCS + "panels-visualizations/query-transform-data/expression-queries/",
)
DATASOURCE = Rule(
    "datasource",
    "references",
    "Names and uids of provisioned things are unique, and one data source is the default",
    PROVISION + "#data-sources",
)
RECEIVER = Rule(
    "receiver",
    "references",
    "Policies name contact points and mute timings that exist where the file defines some",
    ALERTING,
)

TITLE = Rule(
    "no-title",
    "policy",
    "Dashboards and panels have a title",
    DOCS + "dashboards/build-dashboards/best-practices/",
    "info",
)
OVERLAP = Rule(
    "overlap",
    "policy",
    "Panels do not lie on one another",
    MODEL + "#panel-size-and-position",
    "warning",
)
REFRESH = Rule(
    "fast-refresh",
    "policy",
    "A dashboard does not refresh more often than every five seconds",
    DOCS + "dashboards/build-dashboards/best-practices/",
    "warning",
)
UNIT = Rule(
    "unknown-unit",
    "policy",
    "Units are ones that Grafana knows",
    DOCS + "panels-visualizations/configure-standard-options/#unit",
    "info",
)
LEGACY = Rule(
    "legacy-panel",
    "policy",
    "Panels are not of the removed Angular kinds",
    DOCS + "developers/angular_deprecation/",
    "warning",
)
SECRET = Rule(
    "plain-secret",
    "policy",
    "Secrets come from the environment or a file",
    PROVISION + "#using-environment-variables",
    "warning",
)
TLS = Rule(
    "tls-skip-verify",
    "policy",
    "Certificates of data sources are verified",
    PROVISION + "#data-sources",
    "warning",
)
FIELD = Rule(
    "unknown-field", "policy", "A panel has no fields that Grafana does not read", MODEL, "warning"
)
THRESHOLDS = Rule(
    "thresholds",
    "policy",
    "Thresholds begin with a base (null) and ascend",
    DOCS + "panels-visualizations/configure-thresholds/",
    "warning",
)

RULES = (
    JSON, YAML, KIND, SCHEMA, PROVISIONING, PLUGIN, GRID, TIME, TARGET, PROMQL_SYNTAX, PANEL_ID, VARIABLE, EXPRESSION, DATASOURCE,
    RECEIVER, TITLE, OVERLAP, REFRESH, UNIT, LEGACY, SECRET, TLS, FIELD, THRESHOLDS,
)  # fmt: skip
