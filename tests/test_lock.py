"""requirements.lock is what `make install` takes: nothing of pyproject.toml may be missing, and nothing may come without a hash."""

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support import ROOT

LOCKED = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>\S+)(?P<hashes>(?: \\\n +--hash=sha256:[0-9a-f]{64})*)$", re.M
)
WITHOUT = {"torch", "inframind"}
"""torch's builds differ from machine to machine: the Makefile names its version."""


def locked() -> dict[str, tuple[str, int]]:
    """Name -> version and number of hashes."""
    text = (ROOT / "requirements.lock").read_text()
    return {
        canonicalize_name(m["name"]): (m["version"], m["hashes"].count("--hash"))
        for m in LOCKED.finditer(text)
    }


def test_every_locked_version_has_hashes() -> None:
    found = locked()
    assert len(found) == (ROOT / "requirements.lock").read_text().count("==") > 100
    assert all(hashes for _, hashes in found.values())


def test_the_lock_meets_every_requirement() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    found = locked()
    wanted = [
        requirement for requirement in map(Requirement, asked) if requirement.name not in WITHOUT
    ]
    unmet = [
        str(one)
        for one in wanted
        if found.get(canonicalize_name(one.name), ("0",))[0] not in one.specifier
    ]
    assert unmet == []


def test_the_one_without_a_hash_is_pinned_to_its_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (torch,) = [
        line for line in project["optional-dependencies"]["train"] if line.startswith("torch")
    ]
    assert (
        f'install --quiet --disable-pip-version-check "{torch}"' in (ROOT / "Makefile").read_text()
    )
