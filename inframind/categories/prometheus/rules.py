"""The rules for Prometheus and Alertmanager, each with its source."""

from inframind.categories.base import Rule

DOCS = "https://prometheus.io/docs/"
CONFIG = DOCS + "prometheus/latest/configuration/configuration/"
RECORDING = DOCS + "prometheus/latest/configuration/recording_rules/"
ALERTING = DOCS + "prometheus/latest/configuration/alerting_rules/"
MANAGER = DOCS + "alerting/latest/configuration/"
NAMES = DOCS + "concepts/data_model/#metric-names-and-labels"
PRACTICE = DOCS + "practices/"

YAML = Rule("yaml", "parse", "The text is one YAML mapping", "https://yaml.org/spec/1.2.2/")
KIND = Rule(
    "kind", "parse", "It is a rule file, Prometheus' configuration or Alertmanager's", CONFIG
)
SCHEMA = Rule("schema", "schema", "Fields and types are the documented ones", CONFIG)
DURATION = Rule("duration", "schema", "Durations are well formed", CONFIG)
LABEL = Rule("label-name", "schema", "Label and annotation names are well formed", NAMES)
RECORD_OR_ALERT = Rule(
    "record-or-alert",
    "schema",
    "A rule records or alerts, with the fields of one of them",
    RECORDING + "#rule",
)
METRIC = Rule("metric-name", "schema", "Recorded metrics have well-formed names", NAMES)
PROMQL = Rule(
    "promql",
    "schema",
    "Expressions are PromQL and give a vector or a number",
    DOCS + "prometheus/latest/querying/basics/",
)
TEMPLATE = Rule(
    "template",
    "schema",
    "Templates can be read",
    DOCS + "prometheus/latest/configuration/template_reference/",
)
REGEX = Rule("regex", "schema", "Regular expressions are RE2", CONFIG + "#relabel_config")
RELABEL = Rule(
    "relabel", "schema", "A relabelling has what its action needs", CONFIG + "#relabel_config"
)
TARGET = Rule("target", "schema", "Targets are host and port", CONFIG + "#static_config")
TIMEOUT = Rule(
    "scrape-timeout", "schema", "The timeout is not above the interval", CONFIG + "#scrape_config"
)
AUTH = Rule(
    "authentication", "schema", "One way to authenticate, from one place", CONFIG + "#http_config"
)
MATCHER = Rule("matcher", "schema", "Matchers are well formed", MANAGER + "#matcher")
ROOT = Rule(
    "root-route",
    "schema",
    "The root route has a receiver and matches everything",
    MANAGER + "#route",
)
RECEIVER = Rule(
    "receiver-settings",
    "schema",
    "An integration has the address and the key that it needs",
    MANAGER + "#receiver",
)
TIMES = Rule(
    "time-interval",
    "schema",
    "Times, days, months and years of an interval are well formed",
    MANAGER + "#time_interval",
)
FOREIGN = Rule(
    "unverified-plugin",
    "schema",
    "This discovery or integration is not verified",
    CONFIG,
    "unsupported",
)

DUPLICATE = Rule(
    "duplicate",
    "references",
    "Groups, jobs, receivers and intervals have names of their own",
    RECORDING,
)
UNDEFINED = Rule(
    "undefined", "references", "Receivers and time intervals of routes exist", MANAGER + "#route"
)

SECRET = Rule(
    "plain-secret",
    "policy",
    "Passwords, tokens and keys stand in files",
    CONFIG + "#http_config",
    "warning",
)
INSECURE = Rule(
    "insecure-tls", "policy", "Certificates are verified", CONFIG + "#tls_config", "warning"
)
SEVERITY = Rule(
    "no-severity", "policy", "Alerts have a severity to route by", PRACTICE + "alerting/", "info"
)
SUMMARY = Rule("no-summary", "policy", "Alerts say what is wrong", PRACTICE + "alerting/", "info")
NO_FOR = Rule("no-for", "policy", "Alerts wait before they fire", ALERTING, "info")
RECORD_NAME = Rule(
    "record-name",
    "policy",
    "Recorded metrics are called level:metric:operations",
    PRACTICE + "rules/",
    "info",
)
LOST_LABEL = Rule(
    "lost-label",
    "policy",
    "Templates use labels that the expression keeps",
    ALERTING + "#templating",
    "warning",
)
SAME_RULE = Rule(
    "same-rule", "policy", "No two rules have the same name and labels", RECORDING, "warning"
)

RULES = (
    YAML, KIND, SCHEMA, DURATION, LABEL, RECORD_OR_ALERT, METRIC, PROMQL, TEMPLATE, REGEX, RELABEL, TARGET, TIMEOUT, AUTH, MATCHER,
    ROOT, RECEIVER, TIMES, FOREIGN, DUPLICATE, UNDEFINED, SECRET, INSECURE, SEVERITY, SUMMARY, NO_FOR, RECORD_NAME, LOST_LABEL,
    SAME_RULE,
)  # fmt: skip
