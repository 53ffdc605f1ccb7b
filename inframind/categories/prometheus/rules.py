"""The rules for Prometheus and Alertmanager, each with its source."""

from inframind.categories.base import Rule
from inframind.categories.shared import rules as duties

DOCS = "https://prometheus.io/docs/"
CONFIG = DOCS + "prometheus/latest/configuration/configuration/"
RECORDING = DOCS + "prometheus/latest/configuration/recording_rules/"
ALERTING = DOCS + "prometheus/latest/configuration/alerting_rules/"
MANAGER = DOCS + "alerting/latest/configuration/"
NAMES = DOCS + "concepts/data_model/#metric-names-and-labels"
PRACTICE = DOCS + "practices/"

YAML = duties.SYNTAX.rule("https://yaml.org/spec/1.2.2/", "one YAML mapping")
KIND = duties.WRONG_DOCUMENT.rule(
    CONFIG, "a rule file, Prometheus' configuration or Alertmanager's"
)
FIELDS = duties.field_rules(CONFIG, "the documentation")
DURATION = duties.INVALID_DURATION.rule(CONFIG)
LABEL = duties.INVALID_LABEL.rule(NAMES, "names of labels and annotations")
RECORD_OR_ALERT = duties.COMBINATION.rule(
    RECORDING + "#rule", "a rule records or alerts, with the fields of one of them"
)
METRIC = duties.INVALID_NAME.rule(NAMES, "recorded metrics")
PROMQL = duties.INVALID_EXPRESSION.rule(
    DOCS + "prometheus/latest/querying/basics/", "PromQL that gives a vector or a number"
)
TEMPLATE = duties.INVALID_EXPRESSION.rule(
    DOCS + "prometheus/latest/configuration/template_reference/", "templates"
)
REGEX = duties.INVALID_EXPRESSION.rule(CONFIG + "#relabel_config", "regular expressions are RE2")
RELABEL = Rule(
    "relabel", "schema", "A relabelling has what its action needs", CONFIG + "#relabel_config"
)
TARGET = Rule("invalid-target", "schema", "Targets are host and port", CONFIG + "#static_config")
TIMEOUT = duties.INVERTED_BOUNDS.rule(
    CONFIG + "#scrape_config", "scrape_timeout and scrape_interval", rung="schema"
)
AUTH = duties.COMBINATION.rule(CONFIG + "#http_config", "one way to authenticate, from one place")
MATCHER = duties.INVALID_EXPRESSION.rule(MANAGER + "#matcher", "matchers")
ROOT = Rule(
    "root-route",
    "schema",
    "The root route has a receiver and matches everything",
    MANAGER + "#route",
)
RECEIVER = duties.MISSING_FIELD.rule(
    MANAGER + "#receiver", "the address and the key of an integration"
)
TIMES = duties.INVALID_TIME.rule(
    MANAGER + "#time_interval", "times, days, months and years of an interval"
)
FOREIGN = duties.NOT_VERIFIED.rule(CONFIG, "other discoveries and integrations")
DUPLICATE = duties.DUPLICATE.rule(RECORDING, "groups, jobs, receivers and intervals")
UNDEFINED = duties.UNDEFINED.rule(MANAGER + "#route", "receivers and time intervals of routes")

SECRET = duties.PLAIN_SECRET.rule(
    CONFIG + "#http_config", "passwords, tokens and keys stand in files"
)
INSECURE = duties.INSECURE_TLS.rule(CONFIG + "#tls_config")
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

RULES = duties.declared(vars())
