"""Compose files: the specification's schema, the short forms it leaves open, what must exist."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonschema_rs

from inframind.categories.base import Category, Configuration, Evidence, Link, Resource
from inframind.categories.compose import policy, rules, short_forms
from inframind.categories.compose.short_forms import has_variable
from inframind.categories.shared import json_schema
from inframind.categories.shared.formats import is_duration, is_image
from inframind.categories.shared.values import cycle
from inframind.categories.shared.yaml import line_of, yaml_mapping
from inframind.types import Finding

PACKAGE = "inframind.categories.compose"
SECTIONS = {"network": "networks", "volume": "volumes", "secret": "secrets", "config": "configs"}
# https://docs.docker.com/reference/compose-file/services/#restart
RESTART = re.compile(r"no|always|unless-stopped|on-failure(:\d+)?")
SERVICES = re.compile(r"^services:[ \t]*(?:#.*)?\n(?:[ \t]*(?:#.*)?\n)*[ \t]+[\w\"']", re.M)
DURATIONS = ("interval", "timeout", "start_period", "start_interval")


@dataclass(frozen=True)
class Project:
    """Hold a parsed Compose file."""

    text: str
    fields: dict[str, Any]

    @property
    def services(self) -> dict[str, dict[str, Any]]:
        services = self.fields.get("services")
        return {
            name: service for name, service in (services or {}).items() if isinstance(service, dict)
        }

    def line(self, *path: str | int) -> int | None:
        return line_of(self.text, path)


@cache
def schema() -> jsonschema_rs.Validator:
    """Compile the Compose schema, once a process."""
    return jsonschema_rs.validator_for(json_schema.load(PACKAGE, "schema")["schema"])


def service_findings(project: Project, name: str, service: dict[str, Any]) -> Iterator[Finding]:
    """Check the fields of a service that the schema leaves open."""
    # A service that extends another may take either from it; a provider runs no container.
    image = service.get("image")
    if (
        image is None
        and "build" not in service
        and "extends" not in service
        and "provider" not in service
    ):
        yield rules.IMAGE_OR_BUILD.finding(
            f"service {name} has neither image nor build", project.line("services", name)
        )
    if isinstance(image, str) and not has_variable(image) and not is_image(image):
        yield rules.IMAGE.finding(
            f"{image!r} is not an image reference", project.line("services", name, "image")
        )
    restart = service.get("restart")
    if isinstance(restart, str) and not has_variable(restart) and not RESTART.fullmatch(restart):
        yield rules.RESTART.finding(
            f"restart {restart!r} is not no, always, unless-stopped or on-failure[:N]",
            project.line("services", name, "restart"),
        )
    yield from form_findings(project, name, service)
    health = service.get("healthcheck") or {}
    durations = [(key, health.get(key)) for key in DURATIONS] + [
        ("stop_grace_period", service.get("stop_grace_period"))
    ]
    for key, value in durations:
        if isinstance(value, str) and not has_variable(value) and not is_duration(value):
            yield rules.DURATION.finding(
                f"{key} {value!r} is not a duration such as 30s or 1m30s",
                project.line("services", name, key),
            )


def form_findings(project: Project, name: str, service: dict[str, Any]) -> Iterator[Finding]:
    """Check the short forms of a service's ports and volumes."""
    forms: tuple[tuple[str, Callable[[Any], dict[str, Any]], Any], ...] = (
        ("ports", short_forms.port, rules.PORT),
        ("volumes", short_forms.volume, rules.VOLUME),
    )
    for key, read, rule in forms:
        for value in service.get(key) or ():
            try:
                read(value)
            except ValueError as error:
                yield rule.finding(f"service {name}: {error}", project.line("services", name, key))


def wanted(service: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield (path, kind, name) of everything that a service refers to."""
    for other in short_forms.depends_on(service.get("depends_on")):
        yield "depends_on", "service", other
    for link in service.get("links") or ():
        # `service:alias`
        yield "links", "service", str(link).split(":", 1)[0]
    for network in short_forms.named(service.get("networks")):
        yield "networks", "network", network
    for value in service.get("volumes") or ():
        volume = short_forms.volume(value)
        if (
            volume.get("type") == "volume"
            and volume.get("source")
            and not has_variable(volume["source"])
        ):
            yield "volumes", "volume", str(volume["source"])
    for kind in ("secret", "config"):
        for entry in short_forms.sources(service.get(f"{kind}s")):
            yield f"{kind}s", kind, str(entry.get("source"))
    mode = service.get("network_mode")
    if isinstance(mode, str) and mode.startswith("service:"):
        yield "network_mode", "service", mode.removeprefix("service:")


def service_cycle(project: Project) -> list[str] | None:
    """Find a circle of services that wait for one another, its first one last again, or None."""
    waits = {
        name: list(short_forms.depends_on(service.get("depends_on")))
        for name, service in project.services.items()
    }
    return cycle(waits)


def long_form(service: dict[str, Any]) -> dict[str, Any]:
    """Write a service out as docs/contracts/task.md describes it."""
    fields = dict(service)
    readers: dict[str, Callable[[Any], Any]] = {
        "ports": lambda value: [short_forms.port(item) for item in value or ()],
        "volumes": lambda value: [short_forms.volume(item) for item in value or ()],
        "environment": short_forms.mapping,
        "labels": short_forms.mapping,
        "depends_on": short_forms.depends_on,
        "networks": short_forms.named,
        "secrets": short_forms.sources,
        "configs": short_forms.sources,
        "build": lambda value: {"context": value} if isinstance(value, str) else value,
    }
    return {key: readers[key](value) if key in readers else value for key, value in fields.items()}


def runs(service: dict[str, Any]) -> bool:
    """Tell whether `docker compose up` starts a service: no profile, at least one replica."""
    replicas = (service.get("deploy") or {}).get("replicas")
    return not service.get("profiles") and service.get("scale") != 0 and replicas != 0


class Compose(Category[Project]):
    """The category `compose`."""

    id = "compose"
    title = "Docker Compose"
    languages = ("yaml", "yml", "compose", "docker-compose")
    filename = "compose.yaml"
    rules = rules.RULES

    def detect(self, text: str, filename: str | None) -> Evidence:
        if SERVICES.search(text):
            return Evidence.LIKELY
        return Evidence.POSSIBLE if "services:" in text.splitlines() else Evidence.NONE

    def parse(self, text: str) -> Project:
        fields = yaml_mapping(text, rules.YAML, "a Compose file is one mapping with services")
        return Project(text, fields)

    def schema(self, document: Project) -> Sequence[Finding]:
        errors = json_schema.findings(schema(), document.fields, rules.FIELDS, document.text)
        if errors:
            return errors
        if not document.services and "include" not in document.fields:
            return [rules.SERVICE.finding("there are no services")]
        return [
            f
            for name, service in document.services.items()
            for f in service_findings(document, name, service)
        ]

    def references(self, document: Project) -> Sequence[Finding]:
        # Other files, which are not read, may define what this one refers to.
        if "include" in document.fields:
            return []
        # Every project has the network `default` (compose-spec, 06-networks.md).
        defined = {("service", name) for name in document.services} | {("network", "default")}
        for kind, section in SECTIONS.items():
            defined |= {(kind, name) for name in document.fields.get(section) or {}}
        findings = [
            rules.UNDEFINED.finding(
                f"service {name}: the {kind} {other!r} is not defined",
                document.line("services", name, path),
            )
            for name, service in document.services.items()
            for path, kind, other in wanted(service)
            if (kind, other) not in defined
        ]
        circle = service_cycle(document)
        if circle:
            findings.append(
                rules.CYCLE.finding(f"depends_on goes in a circle: {' -> '.join(circle)}")
            )
        return findings

    def effective(self, document: Project) -> Configuration:
        """Collect the services that `up` starts, in long form, and the top-level objects."""
        resources = [
            Resource("service", name, long_form(service), document.line("services", name))
            for name, service in document.services.items()
            if runs(service)
        ]
        for kind, section in SECTIONS.items():
            for name, entry in (document.fields.get(section) or {}).items():
                resources.append(Resource(kind, name, entry or {}, document.line(section, name)))
        present = {(resource.kind, resource.name) for resource in resources}
        links = tuple(
            Link(source, path, kind, other)
            for source, resource in enumerate(resources)
            if resource.kind == "service"
            for path, kind, other in wanted(document.services[resource.name])
            if (kind, other) in present
        )
        return Configuration(tuple(resources), links)

    def policy(self, document: Project) -> Sequence[Finding]:
        return list(policy.findings(document.fields, document.services, document.line))


CATEGORY = Compose()
