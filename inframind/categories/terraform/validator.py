"""Terraform: hashicorp/hcl's syntax, the provider's schema, references, and what would really be created."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from inframind.categories.base import Configuration, ParseError
from inframind.categories.terraform import policy, rules
from inframind.categories.terraform.bodies import BodyChecker
from inframind.categories.terraform.effective import configuration
from inframind.categories.terraform.expressions import Evaluator
from inframind.categories.terraform.module import Module, declare
from inframind.categories.terraform.provider import provider
from inframind.categories.terraform.references import Scope
from inframind.categories.terraform.syntax import Body, parse
from inframind.types import Finding

PROVIDER_META = frozenset({"alias", "version"})


@dataclass
class Configured:
    """A parsed file; everything else is found once, when it is asked for."""

    module: Module

    @cached_property
    def findings(self) -> list[Finding]:
        """Schema and reference findings: one walk finds both."""
        evaluator = Evaluator(self.module)
        checker = BodyChecker(evaluator)
        for block in self.module.sound:
            if block.type in ("resource", "data", "ephemeral"):
                checker.resource(block)
            elif block.type == "module":
                checker.findings.append(rules.MODULE.finding(f"the module {block.labels[0]} is not verified", block.line))
                checker.expressions(block.body, Scope(each=True, count=True))
            elif block.type == "provider":
                self._provider(checker, block.labels[0], block.body, block.line)
            else:
                checker.language(block)
        return [*self.module.findings, *checker.findings, *evaluator.resolver.findings]

    @staticmethod
    def _provider(checker: BodyChecker, name: str, body: Body, line: int) -> None:
        found = provider(name)
        if found is None:
            checker.findings.append(rules.FOREIGN.finding(f"the provider {name} is not verified", line))
            return
        own = Body({k: a for k, a in body.attributes.items() if k not in PROVIDER_META}, body.blocks, body.repeated)
        checker.check(own, found.config, Scope(), f"provider {name}", line)


class Terraform:
    """The category `terraform`."""

    id = "terraform"
    title = "Terraform"
    languages = ("hcl", "terraform", "tf")
    filename = "main.tf"
    rules = rules.RULES

    def detect(self, text: str, filename: str | None) -> float:
        if filename and filename.endswith(".tf"):
            return 1.0
        return (
            0.95 if re.search(r"^(resource|data|variable|output|provider|module|terraform|locals)\b[^:=]*\{", text, re.M) else 0.0
        )

    def parse(self, text: str) -> Configured:
        body = parse(text)
        if not body.blocks and not body.attributes:
            raise ParseError(rules.EMPTY.finding("there are no blocks"))
        return Configured(declare(body))

    def schema(self, document: Configured) -> Sequence[Finding]:
        return [finding for finding in document.findings if finding.rung == "schema"]

    def references(self, document: Configured) -> Sequence[Finding]:
        return [finding for finding in document.findings if finding.rung == "references"]

    def effective(self, document: Configured) -> Configuration:
        return configuration(document.module)

    def policy(self, document: Configured) -> Sequence[Finding]:
        return list(policy.findings(configuration(document.module)))
