"""The locks have everything that pyproject.toml asks for, and nothing without a hash."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support import ROOT

LOCKED = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>\S+)(?P<hashes>(?: \\\n +--hash=sha256:[0-9a-f]{64})*)$", re.M
)
WITHOUT = {"torch", "inframind-iac"}
"""torch's builds differ from machine to machine: the Makefile names its version."""


CUDA = re.compile(r"nvidia-|cuda-|triton$")
"""What torch's build for Linux needs: it is on no machine of the tests."""


def locked(file: str = "requirements.lock") -> dict[str, tuple[str, frozenset[str]]]:
    """Name -> version and hashes."""
    return {
        canonicalize_name(m["name"]): (m["version"], frozenset(m["hashes"].split()) - {"\\"})
        for m in LOCKED.finditer((ROOT / file).read_text())
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
        if found.get(canonicalize_name(one.name), ("0", frozenset()))[0] not in one.specifier
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


@pytest.mark.parametrize("file", ["docker/api.lock", "docker/worker.lock"])
def test_the_images_have_the_versions_that_were_tested(file: str) -> None:
    tested = locked()
    image = locked(file)
    assert len(image) == (ROOT / file).read_text().count("==") > 50
    for name, pin in image.items():
        assert pin[1]
        assert tested.get(name) == pin or name == "setuptools" or CUDA.match(name), name


@pytest.mark.parametrize(
    ("file", "extras"),
    [
        ("docker/api.lock", ("rego", "service", "production")),
        ("docker/worker.lock", ("rego", "service", "production", "train")),
    ],
)
def test_the_images_have_what_their_extras_ask_for(file: str, extras: tuple[str, ...]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"]]
    asked += [line for extra in extras for line in project["optional-dependencies"][extra]]
    names = {canonicalize_name(Requirement(line).name) for line in asked}
    assert names - WITHOUT <= set(locked(file))


@pytest.mark.parametrize(
    "file", sorted(path.name for path in (ROOT / "docker").glob("*.Dockerfile"))
)
def test_an_image_installs_what_is_locked_and_nothing_else(file: str) -> None:
    """M13: a range would bring what was published after the tests. The checkout itself has no
    hash, and is built with what is locked."""
    text = (ROOT / "docker" / file).read_text().replace("\\\n", " ")
    commands = re.findall(r"pip install ([^&\n]*)", text)
    torch = r"--no-cache-dir --no-deps torch==[\d.]+"
    locked_alone = r"--no-cache-dir --no-deps --require-hashes -r docker/\w+\.lock"
    checkout = r"--no-cache-dir --no-deps --no-build-isolation -e \."
    for command in commands:
        assert re.fullmatch(f"{torch}|{locked_alone}|{checkout}", command.strip()), command
    tested_image = re.findall(r"^FROM (\S+)", text, re.M)
    assert set(tested_image) <= {"${PYTHON_IMAGE}", "${VLLM_IMAGE}"}, "a digest could not be given"
