"""Grafana: dashboards as JSON, provisioning files as YAML."""

import re
from collections.abc import Sequence

from inframind.categories.base import Category, Configuration, Evidence
from inframind.categories.grafana import effective, panels, policy, provisioning, rules
from inframind.categories.grafana.document import Dashboard, Provisioning, parsed
from inframind.types import Finding

DASHBOARD = re.compile(r'"(?:panels|schemaVersion)"\s*:')
FILE = re.compile(
    r"^(?:datasources|providers|contactPoints|policies|muteTimes|groups|deleteDatasources):",
    re.MULTILINE,
)
NUMBER = re.compile(r"^apiVersion: ['\"]?1['\"]?\s*$", re.MULTILINE)


class Grafana(Category[Dashboard | Provisioning]):
    """The category `grafana`."""

    id = "grafana"
    title = "Grafana"
    languages = ("json", "yaml", "yml", "grafana")
    filename = "dashboard.json"
    rules = rules.RULES

    def detect(self, text: str, filename: str | None) -> Evidence:
        if text.lstrip().startswith("{"):
            return Evidence.LIKELY if DASHBOARD.search(text) else Evidence.NONE
        # A version that is a number: objects of other formats have names there, such as v1.
        is_provisioning = NUMBER.search(text) and FILE.search(text)
        return Evidence.CERTAIN if is_provisioning else Evidence.NONE

    def parse(self, text: str) -> Dashboard | Provisioning:
        return parsed(text)

    def schema(self, document: Dashboard | Provisioning) -> Sequence[Finding]:
        findings = (
            panels.schema_findings(document)
            if isinstance(document, Dashboard)
            else provisioning.schema_findings(document)
        )
        return list(findings)

    def references(self, document: Dashboard | Provisioning) -> Sequence[Finding]:
        findings = (
            panels.reference_findings(document)
            if isinstance(document, Dashboard)
            else provisioning.reference_findings(document)
        )
        return list(findings)

    def effective(self, document: Dashboard | Provisioning) -> Configuration:
        return (
            effective.configuration(document)
            if isinstance(document, Dashboard)
            else provisioning.effective(document)
        )

    def policy(self, document: Dashboard | Provisioning) -> Sequence[Finding]:
        findings = (
            policy.findings(document)
            if isinstance(document, Dashboard)
            else provisioning.policy_findings(document)
        )
        return list(findings)


CATEGORY = Grafana()
