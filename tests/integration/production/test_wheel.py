"""The library's wheel: one package, and it verifies on every Python that it promises."""

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.support import ROOT

VERSIONS = ("3.11", "3.12", "3.13")
GOOD = "services:\n  web:\n    image: nginx:1.27\n"
BAD = GOOD + "    networks: [nowhere]\n"
BUILD = "from setuptools import build_meta; print(build_meta.build_wheel({!r}))"
PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the tracked files: an old build folder would smuggle in what is gone."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    listed = ["inframind", "app", "workers", "migrations", "tools", "pyproject.toml", "README.md"]
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--"]
    names = subprocess.run(
        [*command, *listed, "LICENSE"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    for name in names.split("\0"):
        if name and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BUILD.format(str(out))],
        cwd=source,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (made,) = out.iterdir()
    return made


def test_the_wheel_has_one_package_with_its_types_and_data(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert wheel.name.startswith("inframind_iac-")
    folders = {name.partition("/")[0] for name in names}
    assert {name for name in folders if not name.endswith(".dist-info")} == {"inframind"}
    wanted = (
        "inframind/py.typed",
        "inframind/categories/terraform/data/aws.json.gz",
        "inframind/judge/rubric.json",
        "inframind/models/nano/weights/model.safetensors",
    )
    assert [name for name in wanted if name not in names and (ROOT / name).exists()] == []
    assert not [name for name in names if "build_" in name.rpartition("/")[2]]


def test_every_data_file_of_the_library_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "inframind"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    kept = [name for name in tracked if name and (ROOT / name).is_file()]
    assert [name for name in kept if name not in names] == []


def test_the_librarys_dependencies_are_ranges() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for line in (*project["dependencies"], *project["optional-dependencies"]["rego"]):
        assert ">=" in line and "<" in line and "==" not in line, line


def interpreter(version: str) -> str | None:
    """A Python of this version that runs, on the PATH or among those that pyenv installed.

    A launcher on the PATH may have none behind it: pyenv's shims are such.
    """
    installed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [
        shutil.which(f"python{version}"),
        *sorted(installed.glob(f"{version}.*/bin/python")),
    ]
    for program in candidates:
        if program is None:
            continue
        asked = subprocess.run(
            [program, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"],
            check=False,
            capture_output=True,
            text=True,
        )
        if asked.stdout.strip() == version:
            return str(program)
    return None


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_the_library_alone_verifies(version: str, wheel: Path, tmp_path: Path) -> None:
    program = interpreter(version)
    if program is None:
        pytest.skip(f"no Python {version} is at hand")
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([program, "-m", "venv", tmp_path / "venv"], check=True, env=env)
    python = tmp_path / "venv" / "bin" / "python"
    installed = subprocess.run(
        [python, *PIP, wheel], check=False, capture_output=True, text=True, env=env
    )
    assert installed.returncode == 0, installed.stderr
    user = tmp_path / "user"
    user.mkdir()
    (user / "compose.yaml").write_text(GOOD)
    (user / "bad.compose.yaml").write_text(BAD)

    def run(*command: str | Path) -> tuple[int, str]:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, cwd=user, env=env
        )
        return done.returncode, done.stdout + done.stderr

    command = python.with_name("inframind")
    assert run(command, "verify", "compose.yaml")[0] == 0
    status, said = run(command, "verify", "bad.compose.yaml")
    assert status == 1 and "nowhere" in said
    status, said = run(command, "jobs", "list")
    assert status == 2 and "make install" in said and "Traceback" not in said
    assert run(command, "--help")[1].count("jobs") == 0
    loaded = "import inframind, importlib.util as u; print(*map(u.find_spec, ('torch', 'fastapi')))"
    assert run(python, "-c", loaded) == (0, "None None\n")
