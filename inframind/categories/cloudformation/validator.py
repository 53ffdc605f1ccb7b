"""CloudFormation templates: AWS's resource schemas, functions in their places, references."""

import re
from collections.abc import Sequence
from itertools import islice

from inframind.categories.base import Category, Configuration, Evidence, ParseError
from inframind.categories.cloudformation import effective, policy, references, rules, sections
from inframind.categories.cloudformation.template import Template, TemplateError, load
from inframind.types import Finding

MAX_FINDINGS = 50
TYPE = re.compile(r"""["']?Type["']?\s*:\s*["']?(?:AWS|Custom)::\w+""")
HEAD = re.compile(
    r"""^[\s{]*["']?(?:AWSTemplateFormatVersion|Resources|Parameters|Description)["']?\s*:""",
    re.MULTILINE,
)


class CloudFormation(Category[Template]):
    """The category `cloudformation`."""

    id = "cloudformation"
    title = "CloudFormation"
    languages = ("yaml", "yml", "json", "cloudformation")
    filename = "template.yaml"
    rules = rules.RULES

    def detect(self, text: str, filename: str | None) -> Evidence:
        if "AWSTemplateFormatVersion" in text or (TYPE.search(text) and HEAD.search(text)):
            return Evidence.CERTAIN
        return Evidence.NONE

    def parse(self, text: str) -> Template:
        try:
            return load(text)
        except TemplateError as error:
            raise ParseError(rules.SYNTAX.finding(str(error), error.line)) from None

    def schema(self, document: Template) -> Sequence[Finding]:
        return list(islice(sections.findings(document), MAX_FINDINGS))

    def references(self, document: Template) -> Sequence[Finding]:
        return list(islice(references.findings(document), MAX_FINDINGS))

    def effective(self, document: Template) -> Configuration:
        return effective.configuration(document)

    def policy(self, document: Template) -> Sequence[Finding]:
        return list(islice(policy.findings(document), MAX_FINDINGS))


CATEGORY = CloudFormation()
