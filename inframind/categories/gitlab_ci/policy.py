"""Security and good practice of pipelines. A finding counts where a request lists its rule."""

import re
from collections.abc import Iterator

from inframind.categories.gitlab_ci import rules
from inframind.categories.gitlab_ci.jobs import images
from inframind.categories.gitlab_ci.long_forms import SCRIPTS, variables
from inframind.categories.gitlab_ci.pipeline import DEFAULTABLE, Pipeline
from inframind.categories.shared.policies import (
    downloads_to_shell,
    is_secret_variable,
    is_unpinned,
)
from inframind.categories.shared.values import listed
from inframind.types import Finding

# 300 characters bound the search, which begins anew at every `docker login`.
LOGIN = re.compile(r"\bdocker\s+login\b[^|;&]{0,300}\s(?:-p|--password)(?:\s|=)")


def findings(pipeline: Pipeline) -> Iterator[Finding]:
    """Judge images, commands, deprecated keywords, secrets and includes of a pipeline."""
    parts = {name: pipeline.jobs[name] for name in pipeline.jobs} | {"default": pipeline.defaults}
    for name, part in parts.items():
        line = pipeline.line(name)
        for image in images(part):
            if "$" not in image and is_unpinned(image):
                yield rules.LATEST.finding(f"{name}: {image} has no fixed tag", line)
        commands = [str(command) for key in SCRIPTS for command in listed(part.get(key))]
        if any(map(downloads_to_shell, commands)):
            yield rules.PIPE_TO_SHELL.finding(f"{name}: a download runs unchecked", line)
        if any(LOGIN.search(command) for command in commands):
            yield rules.LOGIN.finding(f"{name}: write the password with --password-stdin", line)
        if "only" in part or "except" in part:
            yield rules.DEPRECATED.finding(f"{name}: write rules instead of only and except", line)
    yield from global_findings(pipeline)


def global_findings(pipeline: Pipeline) -> Iterator[Finding]:
    """Judge secrets in variables, includes without a version, and defaults at the top."""
    places = {name: job.get("variables") for name, job in pipeline.jobs.items()} | {
        "variables": pipeline.fields.get("variables")
    }
    for place, written in places.items():
        for name, value in variables(written).items():
            if (
                is_secret_variable(name)
                and value
                and "$" not in value
                # A path names the file that holds the secret.
                and not value.startswith("/")
            ):
                yield rules.SECRET.finding(
                    f"{place}: {name} is written in plain", pipeline.line(place)
                )
    for item in listed(pipeline.fields.get("include")):
        entry = (
            item
            if isinstance(item, dict)
            else {"remote": item}
            if str(item).startswith("http")
            else {}
        )
        # https://docs.gitlab.com/ci/components/#component-versions
        component = str(entry.get("component", "x@1"))
        loose = ("project" in entry and "ref" not in entry) or (
            "remote" in entry and "integrity" not in entry
        )
        if loose or "@" not in component or component.endswith("@~latest"):
            yield rules.INCLUDE.finding(
                "an include of others has no fixed version", pipeline.line("include")
            )
    top = [key for key in DEFAULTABLE if key in pipeline.written]
    if top:
        yield rules.DEPRECATED.finding(
            f"write {', '.join(top)} below default", pipeline.line(top[0])
        )
