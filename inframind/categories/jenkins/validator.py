"""Jenkins' declarative pipelines, read by a parser of their own."""

import re
from collections.abc import Sequence

from inframind.categories.base import Category, Configuration, Evidence, ParseError
from inframind.categories.jenkins import effective, policy, references, rules, sections
from inframind.categories.jenkins.model import Pipeline
from inframind.categories.jenkins.syntax import Source
from inframind.categories.jenkins.tokens import GroovyError
from inframind.types import Finding

DECLARATIVE = re.compile(r"^[ \t]*pipeline\s*\{", re.M)
SCRIPTED = re.compile(
    r"^[ \t]*(?:node\s*(?:\([^)\n]*\)\s*)?\{|stage\s*[('\"]|def\s+\w+|parallel\b|checkout\b"
    r"|import\s|library\b|return this)",
    re.M,
)
NODE = re.compile(r"^[ \t]*(?:node\s*(?:\([^)\n]*\)\s*)?\{|podTemplate\s*\()", re.M)
FILENAME = re.compile(r"(?:^|/)[^/]*(?:Jenkinsfile[^/]*|\.jenkinsfile)$")


class Jenkins(Category[Pipeline]):
    """The category `jenkins`."""

    id = "jenkins"
    title = "Jenkins"
    languages = ("groovy", "jenkinsfile", "jenkins")
    filename = "Jenkinsfile"
    rules = rules.RULES

    def detect(self, text: str, filename: str | None) -> Evidence:
        name = filename or ""
        if DECLARATIVE.search(text) or NODE.search(text) or FILENAME.search(name):
            return Evidence.CERTAIN
        return Evidence.POSSIBLE if name.endswith(".groovy") else Evidence.NONE

    def parse(self, text: str) -> Pipeline:
        try:
            source = Source(text)
        except GroovyError as error:
            raise ParseError(rules.GROOVY.finding(str(error), error.line)) from None
        statements = list(source.statements(0, len(source.tokens)))
        pipelines = [
            statement
            for statement in statements
            if statement.name == "pipeline" and statement.block is not None
        ]
        if not pipelines and statements and SCRIPTED.search(text):
            raise ParseError(
                rules.SCRIPTED.finding(
                    "a scripted pipeline or library: only declarative ones are verified"
                )
            )
        if len(pipelines) != 1:
            raise ParseError(
                rules.PIPELINE.finding(
                    f"there are {len(pipelines)} `pipeline` blocks; a Jenkinsfile has one"
                )
            )
        return Pipeline(source, pipelines[0])

    def schema(self, document: Pipeline) -> Sequence[Finding]:
        return list(sections.findings(document))

    def references(self, document: Pipeline) -> Sequence[Finding]:
        return list(references.findings(document))

    def effective(self, document: Pipeline) -> Configuration:
        """Collect the pipeline, its parameters, and the stages and steps that can run."""
        return effective.configuration(document)

    def policy(self, document: Pipeline) -> Sequence[Finding]:
        return list(policy.findings(document))


CATEGORY = Jenkins()
