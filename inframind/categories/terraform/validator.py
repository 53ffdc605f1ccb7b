"""Terraform: hashicorp/hcl's syntax, the provider's schema, references, and what would really be
created.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from inframind.categories.base import Category, Configuration, Evidence, ParseError
from inframind.categories.terraform import policy, rules
from inframind.categories.terraform.bodies import BodyChecker, Place
from inframind.categories.terraform.effective import configuration
from inframind.categories.terraform.expressions import Evaluator
from inframind.categories.terraform.graph import Graph
from inframind.categories.terraform.module import Module, declare
from inframind.categories.terraform.provider import provider
from inframind.categories.terraform.references import Scope
from inframind.categories.terraform.syntax import Block, Body, parse
from inframind.types import Finding

# Not before `{{`, which begins a template of Jinja or Go.
BLOCK = re.compile(
    r"^(?:resource|data|variable|output|provider|module|terraform|locals)\b[^:=\n{]*\{(?!\{)", re.M
)
PROVIDER_META = frozenset({"alias", "version"})


@dataclass
class Configured:
    """A parsed file; everything else is found once, when it is asked for."""

    module: Module

    @cached_property
    def findings(self) -> list[Finding]:
        """Schema and reference findings: one walk finds both."""
        findings = list(self.module.findings)
        evaluator = Evaluator(self.module)
        checker = BodyChecker(evaluator)
        for block in self.module.sound:
            if block.type in ("resource", "data", "ephemeral"):
                checker.resource(block)
            elif block.type == "module":
                checker.findings.append(
                    rules.MODULE.finding(
                        f"the module {block.labels[0]} is not verified", block.line
                    )
                )
                checker.language.expressions(block.body, Scope(each=True, count=True))
            elif block.type == "provider":
                findings += self._provider(block)
            else:
                checker.language.block(block)
                for data in block.body.named("data") if block.type == "check" else ():
                    checker.resource(data)
        findings += [*checker.findings, *evaluator.resolver.findings, *evaluator.faults]
        return list(dict.fromkeys([*findings, *Graph(self.module).findings()]))

    def _provider(self, block: Block) -> list[Finding]:
        """Checks a provider's configuration; an unused one gets warnings: Terraform ignores it."""
        evaluator = Evaluator(self.module)
        checker = BodyChecker(evaluator)
        name = block.labels[0]
        source = provider(self.module.sources.get(name, name))
        if source is None:
            return [rules.FOREIGN.finding(f"the provider {name} is not verified", block.line)]
        body = Body(
            {k: a for k, a in block.body.attributes.items() if k not in PROVIDER_META},
            block.body.blocks,
        )
        checker.check(body, source.config, Place(f"provider {name}", Scope(), block.line))
        findings = [*checker.findings, *evaluator.resolver.findings, *evaluator.faults]
        if self.module.uses(block):
            return findings
        return [finding.model_copy(update={"severity": "warning"}) for finding in findings]


class Terraform(Category[Configured]):
    """The category `terraform`."""

    id = "terraform"
    title = "Terraform"
    languages = ("hcl", "terraform", "tf")
    filename = "main.tf"
    rules = rules.RULES

    def detect(self, text: str, filename: str | None) -> Evidence:
        is_terraform = (filename or "").endswith(".tf") or BLOCK.search(text)
        return Evidence.CERTAIN if is_terraform else Evidence.NONE

    def parse(self, text: str) -> Configured:
        if not text.strip():
            raise ParseError(rules.EMPTY.finding("the text is empty"))
        return Configured(declare(parse(text)))

    def schema(self, document: Configured) -> Sequence[Finding]:
        return [finding for finding in document.findings if finding.rung == "schema"]

    def references(self, document: Configured) -> Sequence[Finding]:
        return [finding for finding in document.findings if finding.rung == "references"]

    def effective(self, document: Configured) -> Configuration:
        return configuration(document.module)

    def policy(self, document: Configured) -> Sequence[Finding]:
        return list(policy.findings(document.module, configuration(document.module)))


CATEGORY = Terraform()
