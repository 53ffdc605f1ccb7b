"""Every link between our documents leads somewhere, and the index of docs/ leads to every page."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INDEX = ROOT / "docs" / "README.md"
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^(`{3,}).*?^\1`*$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def documents() -> list[Path]:
    """Markdown files that git knows, new ones included; examples of categories are data."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in listed.splitlines() if not name.startswith("inframind/")]
    return [path for path in paths if path.exists()]


@cache
def anchors(page: Path) -> frozenset[str]:
    """The headings of a page as GitHub names them in links."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    names = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(text))
    return frozenset(name.replace(" ", "-") for name in names)


def targets(page: Path) -> list[tuple[str, Path, str]]:
    """(link, file, anchor) of each link that does not leave the repository."""
    links = LINK.findall(CODE.sub("", page.read_text()))
    relative = [link for link in links if not re.match(r"[a-z+]+:", link)]
    parts = [(link, *link.partition("#")[::2]) for link in relative]
    return [
        (link, (page.parent / path if path else page).resolve(), anchor)
        for link, path, anchor in parts
    ]


@pytest.mark.parametrize("page", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = [
        link
        for link, file, anchor in targets(page)
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file))
    ]
    assert not broken


def test_the_index_leads_to_every_page() -> None:
    reached: set[Path] = set()
    todo = [INDEX]
    while todo:
        page = todo.pop()
        if page not in reached:
            reached.add(page)
            todo += [file for _, file, _ in targets(page) if file.suffix == ".md" and file.exists()]
    pages = {path for path in documents() if path.is_relative_to(ROOT / "docs")}
    assert sorted(str(page.relative_to(ROOT)) for page in pages - reached) == []
