"""Security of Compose files. A finding counts where a request lists its rule."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from inframind.categories.compose import rules, short_forms
from inframind.categories.compose.short_forms import has_variable
from inframind.categories.shared.policies import (
    downloads_to_shell,
    is_secret_variable,
    is_unpinned,
)
from inframind.types import Finding

Fields = Mapping[str, Any]


def findings(
    fields: Fields, services: Mapping[str, Fields], line_of: Callable[..., int | None]
) -> Iterator[Finding]:
    """Judge power over the host, images, commands and secrets of every service."""
    if "version" in fields:
        yield rules.VERSION.finding("`version` is obsolete: remove it", line_of("version"))
    for name, service in services.items():
        for finding in service_findings(name, service):
            yield finding.model_copy(update={"line": line_of("services", name)})


def service_findings(name: str, service: Fields) -> Iterator[Finding]:
    """Judge one service; its line is the caller's."""
    # Who may write to Docker's socket is root on the host.
    if service.get("privileged") or "docker.sock" in str(service.get("volumes")):
        yield rules.PRIVILEGED.finding(f"service {name} has power over the host")
    image = service.get("image")
    if isinstance(image, str) and is_unpinned(image):
        yield rules.LATEST.finding(f"service {name}: {image} has no fixed tag")
    if any(map(downloads_to_shell, commands(service))):
        yield rules.PIPE_TO_SHELL.finding(f"service {name}: a download runs unchecked")
    for key, value in short_forms.mapping(service.get("environment")).items():
        # By custom of the official images `..._FILE` holds the path of a secret.
        is_path = key.endswith("_FILE")
        if is_secret_variable(key) and value and not has_variable(value) and not is_path:
            yield rules.SECRET.finding(f"service {name}: {key} is written in plain")


def commands(service: Fields) -> Iterator[str]:
    """List what a service's shells are told: command, entrypoint and the health check's test.

    A list is an argument vector (services.md, `command`): its words are joined, so that the script
    of `["sh", "-c", script]` is read like any other.
    """
    health = service.get("healthcheck")
    test = health.get("test") if isinstance(health, Mapping) else None
    for command in (service.get("command"), service.get("entrypoint"), test):
        if isinstance(command, str):
            yield command
        elif isinstance(command, list):
            yield " ".join(map(str, command))
