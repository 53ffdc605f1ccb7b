"""GitLab CI pipelines: the schema, before and after everything is merged, and what the pipeline's
creation refuses.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import jsonschema_rs

from inframind.categories.base import Category, Configuration, Evidence, Link, ParseError, Resource
from inframind.categories.gitlab_ci import jobs, policy, references, rules
from inframind.categories.gitlab_ci.long_forms import long_form, long_needs, pipeline_fields
from inframind.categories.gitlab_ci.pipeline import Pipeline
from inframind.categories.shared import json_schema
from inframind.categories.shared.yaml import yaml_documents
from inframind.types import Finding

PACKAGE = "inframind.categories.gitlab_ci"
FILENAME = re.compile(r"(?:^|/)[^/]*\.gitlab-ci\.ya?ml$")


def has_job(text: str) -> bool:
    """Tell whether `script` or `trigger` stands right below a key of the top level."""
    level: int | None = None
    for line in text.split("\n"):
        content = line.lstrip(" ")
        if not content or content.startswith("#"):
            continue
        indent = len(line) - len(content)
        if indent == 0:
            level = 0 if content.startswith("-") else None
        elif level is None:
            level = indent
        if indent and indent == level and content.startswith(("script:", "trigger:")):
            return True
    return False


@cache
def schema() -> jsonschema_rs.Validator:
    """Compile the schema of a whole file, once a process."""
    return jsonschema_rs.validator_for(json_schema.load(PACKAGE, "schema")["schema"])


@cache
def job_schema() -> jsonschema_rs.Validator:
    """Compile the schema of one job, once a process."""
    whole = json_schema.load(PACKAGE, "schema")["schema"]
    return jsonschema_rs.validator_for(
        {
            "$schema": whole["$schema"],
            "$ref": "#/definitions/job",
            "definitions": whole["definitions"],
        }
    )


def merged_findings(pipeline: Pipeline) -> list[Finding]:
    """Find the schema errors that a job has only after `extends` is merged into it."""
    return [
        finding.model_copy(
            update={
                "message": f"job {name}, extended: {finding.message}"[:500],
                "line": pipeline.line(name),
            }
        )
        for name, job in pipeline.jobs.items()
        if "extends" in pipeline.fields[name]
        for finding in json_schema.findings(job_schema(), job, rules.FIELDS, "")
    ]


class GitLabCI(Category[Pipeline]):
    """The category `gitlab-ci`."""

    id = "gitlab-ci"
    title = "GitLab CI"
    languages = ("yaml", "yml", "gitlab-ci")
    filename = ".gitlab-ci.yml"
    rules = rules.RULES

    def detect(self, text: str, filename: str | None) -> Evidence:
        if FILENAME.search(filename or ""):
            return Evidence.CERTAIN
        return Evidence.LIKELY if has_job(text) else Evidence.NONE

    def parse(self, text: str) -> Pipeline:
        documents = yaml_documents(text, rules.YAML)
        header: dict[str, Any] = {}
        # The header is a document of its own (https://docs.gitlab.com/ci/inputs/).
        if len(documents) == 2 and isinstance(documents[0], dict) and set(documents[0]) == {"spec"}:
            header = documents.pop(0)
        if len(documents) != 1 or not isinstance(documents[0], dict):
            raise ParseError(rules.YAML.finding("a pipeline is one mapping of jobs and keywords"))
        marks = [number for number, line in enumerate(text.split("\n")) if line.startswith("---")]
        return Pipeline(text, documents[0], header, marks[-1] if header and marks else 0)

    def schema(self, document: Pipeline) -> Sequence[Finding]:
        findings = json_schema.findings(schema(), document.header, rules.FIELDS, document.text)
        findings = findings or json_schema.findings(
            schema(), document.without_null, rules.FIELDS, document.text, document.start
        )
        findings = findings or merged_findings(document)
        if findings:
            return findings
        if not document.jobs and not document.includes:
            return [rules.JOBS.finding("there is no visible job")]
        return [
            *jobs.global_findings(document),
            *(f for name in document.jobs for f in jobs.findings(document, name)),
        ]

    def references(self, document: Pipeline) -> Sequence[Finding]:
        return list(references.findings(document))

    def effective(self, document: Pipeline) -> Configuration:
        """Collect the pipeline, and the jobs that some pipeline has, in long forms."""
        fields = pipeline_fields(document)
        resources = [
            Resource("pipeline", str((fields.get("workflow") or {}).get("name", "")), fields, 1)
        ]
        links: list[Link] = []
        for name in (name for name in document.jobs if name in document.running):
            job = long_form(document, name)
            source = len(resources)
            needed = [str(need["job"]) for need in long_needs(job) if "job" in need]
            links += [Link(source, "needs", "job", other) for other in needed]
            links += [
                Link(source, "dependencies", "job", str(other))
                for other in job.get("dependencies") or ()
            ]
            stop = (job.get("environment") or {}).get("on_stop")
            links += [Link(source, "environment.on_stop", "job", str(stop))] if stop else []
            resources.append(Resource("job", name, job, document.line(name)))
        job_names = {resource.name for resource in resources[1:]}
        return Configuration(
            tuple(resources), tuple(link for link in links if link.name in job_names)
        )

    def policy(self, document: Pipeline) -> Sequence[Finding]:
        return list(policy.findings(document))


CATEGORY = GitLabCI()
