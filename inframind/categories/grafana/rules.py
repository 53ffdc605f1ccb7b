"""The rules for Grafana's files, each with its source."""

from inframind.categories.base import Rule
from inframind.categories.shared import rules as duties

DOCS = "https://grafana.com/docs/grafana/latest/"
MODEL = DOCS + "dashboards/build-dashboards/view-dashboard-json-model/"
PROVISION = DOCS + "administration/provisioning/"
ALERTING = DOCS + "alerting/set-up/provision-alerting-resources/file-provisioning/"
VARIABLES = DOCS + "dashboards/variables/"
PROMQL = "https://prometheus.io/docs/prometheus/latest/querying/basics/"

JSON = duties.SYNTAX.rule(
    "https://www.rfc-editor.org/rfc/rfc8259", "a dashboard is one JSON object without repeated keys"
)
YAML = duties.SYNTAX.rule("https://yaml.org/spec/1.2.2/", "a provisioning file is YAML")
KIND = duties.WRONG_DOCUMENT.rule(
    PROVISION, "a dashboard, or a provisioning file that Grafana knows"
)
DASHBOARD = duties.field_rules(MODEL, "a dashboard")
PROVISIONING = duties.field_rules(PROVISION, "provisioning files")
PLUGIN = duties.NOT_VERIFIED.rule(
    DOCS + "panels-visualizations/visualizations/", "panels of plugins"
)
GRID = Rule(
    "grid",
    "schema",
    "A panel lies within the 24 columns and has a size",
    MODEL + "#panel-size-and-position",
)
TIME = duties.INVALID_TIME.rule(
    DOCS + "dashboards/use-dashboards/",
    "`now` expressions or dates; refresh and intervals are durations",
)
TARGET = Rule("query", "schema", "A query has what its data source reads", DOCS + "datasources/")
PROMQL_SYNTAX = duties.INVALID_EXPRESSION.rule(PROMQL, "PromQL")
PANEL_ID = duties.DUPLICATE.rule(MODEL, "panel ids, refIds within a panel, variables")
VARIABLE = duties.UNDEFINED.rule(VARIABLES, "variables")
EXPRESSION = duties.UNDEFINED.rule(
    DOCS + "panels-visualizations/query-transform-data/expression-queries/",
    "queries of expressions and conditions",
)
DATASOURCE = duties.DUPLICATE.rule(
    PROVISION + "#data-sources",
    "names and uids of provisioned things; one data source is the default",
)
RECEIVER = duties.UNDEFINED.rule(
    ALERTING, "contact points and mute timings, where the file defines some"
)

TITLE = duties.NO_NAME.rule(
    DOCS + "dashboards/build-dashboards/best-practices/", "dashboards and panels"
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
LEGACY = duties.DEPRECATED.rule(
    DOCS + "developers/angular_deprecation/", "the removed Angular panels", severity="warning"
)
SECRET = duties.PLAIN_SECRET.rule(
    PROVISION + "#using-environment-variables", "secrets come from the environment or a file"
)
TLS = duties.INSECURE_TLS.rule(PROVISION + "#data-sources", "data sources")
FIELD = Rule(
    "unread-field", "policy", "A panel has no fields that Grafana does not read", MODEL, "warning"
)
THRESHOLDS = Rule(
    "thresholds",
    "policy",
    "Thresholds begin with a base (null) and ascend",
    DOCS + "panels-visualizations/configure-thresholds/",
    "warning",
)

RULES = duties.declared(vars())
