"""Prometheus: rule files, the server's configuration and Alertmanager's, told by their keys."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache

import jsonschema_rs

from inframind.categories.base import Category, Configuration, Evidence, ParseError
from inframind.categories.prometheus import alertmanager, rule_files, rules, server
from inframind.categories.prometheus.document import Document, Kind, format_findings, kind_of
from inframind.categories.shared import json_schema
from inframind.categories.shared.yaml import yaml_mapping
from inframind.types import Finding

PACKAGE = "inframind.categories.prometheus"
RULES = re.compile(r"^groups:", re.M), re.compile(r"^[ -]+(?:alert|record|expr):", re.M)
CONFIG = re.compile(r"^(?:scrape_configs|rule_files|scrape_config_files|remote_write):", re.M)
MANAGER = re.compile(r"^route:", re.M), re.compile(r"^receivers:", re.M)
SECRETS = frozenset(
    "password credentials bearer_token client_secret secret_key routing_key service_key api_key "
    "bot_token auth_password auth_secret smtp_auth_password smtp_auth_secret slack_api_url "
    "opsgenie_api_key victorops_api_key telegram_bot_token app_token token".split()
)
FINDINGS: dict[Kind, Callable[[Document], Iterator[Finding]]] = {
    "rules": rule_files.findings,
    "config": server.findings,
    "alertmanager": alertmanager.findings,
}
REFERENCES: dict[Kind, Callable[[Document], Iterator[Finding]]] = {
    "rules": rule_files.references,
    "config": server.references,
    "alertmanager": alertmanager.references,
}
EFFECTIVE: dict[Kind, Callable[[Document], Configuration]] = {
    "rules": rule_files.effective,
    "config": server.effective,
    "alertmanager": alertmanager.effective,
}


@cache
def schema(kind: Kind) -> jsonschema_rs.Validator:
    """Compile the schema of one kind of file, once a process."""
    return json_schema.compile_definition(json_schema.load(PACKAGE, "schema")["definitions"], kind)


class Prometheus(Category[Document]):
    """The category `prometheus`."""

    id = "prometheus"
    title = "Prometheus and Alertmanager"
    languages = ("yaml", "yml", "prometheus", "alertmanager")
    filename = "prometheus.yml"
    rules = rules.RULES

    def detect(self, text: str, filename: str | None) -> Evidence:
        pairs = (RULES, MANAGER)
        if any(all(pattern.search(text) for pattern in pair) for pair in pairs):
            return Evidence.LIKELY
        return Evidence.LIKELY if CONFIG.search(text) else Evidence.NONE

    def parse(self, text: str) -> Document:
        fields = yaml_mapping(text, rules.YAML, "a file is one mapping")
        kind = kind_of(fields)
        if kind is None:
            raise ParseError(
                rules.KIND.finding(
                    "there are neither groups, nor scrape_configs and the like, nor route and "
                    "receivers"
                )
            )
        return Document(text, fields, kind)

    def schema(self, document: Document) -> Sequence[Finding]:
        errors = json_schema.findings(
            schema(document.kind), document.fields, rules.FIELDS, document.text
        )
        return errors or [*format_findings(document), *FINDINGS[document.kind](document)]

    def references(self, document: Document) -> Sequence[Finding]:
        return list(REFERENCES[document.kind](document))

    def effective(self, document: Document) -> Configuration:
        """Collect what is evaluated, scraped or reached."""
        return EFFECTIVE[document.kind](document)

    def policy(self, document: Document) -> Sequence[Finding]:
        if document.kind == "rules":
            return list(rule_files.policy(document))
        findings = []
        for path, key, value in document.entries:
            if (
                key in SECRETS
                and isinstance(value, str)
                and value
                and "$" not in value
                # `<secret>` is how Prometheus shows a secret in the configuration that it serves.
                and not value.startswith("<")
            ):
                findings.append(
                    rules.SECRET.finding(
                        f"{key} stands in plain: use {key}_file", document.line(*path)
                    )
                )
            if key == "insecure_skip_verify" and value in (True, "yes", "on"):
                findings.append(
                    rules.INSECURE.finding("certificates are not verified", document.line(*path))
                )
        return findings


CATEGORY = Prometheus()
