"""docs/python.md as a newcomer reads it: its snippets run in order and print what it says."""

import io
import re
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

import inframind

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "python.md"
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def snippets() -> list[tuple[str, str]]:
    """Each snippet of the page with the output that stands below it."""
    blocks = BLOCK.findall(PAGE.read_text())
    assert [language for language, _ in blocks] == ["python", "text"] * (len(blocks) // 2)
    return [
        (code, output) for (_, code), (_, output) in zip(blocks[::2], blocks[1::2], strict=True)
    ]


def test_the_snippets_print_what_the_page_says() -> None:
    namespace: dict[str, Any] = {}
    for number, (code, output) in enumerate(snippets(), 1):
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile(code, f"{PAGE.name}, snippet {number}", "exec"), namespace)
        assert printed.getvalue() == output, f"snippet {number}:\n{code}"


def test_the_readmes_snippet_prints_what_it_says() -> None:
    [code] = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    expected = code.rpartition("# ")[2]
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    assert printed.getvalue() == expected


def test_the_page_imports_inframind_and_nothing_else() -> None:
    imports = [
        line.strip()
        for code, _ in snippets()
        for line in code.splitlines()
        if re.match(r"\s*(import|from)\s", line) and not line.startswith("FROM")
    ]
    assert imports == ["import inframind"]


def test_every_public_name_is_there_and_on_the_page() -> None:
    assert {name for name in inframind.__all__ if getattr(inframind, name, None) is None} == set()
    page = PAGE.read_text()
    missing = [
        name
        for name in inframind.__all__
        if name.lstrip("_") == name and not re.search(rf"\b{name}\b", page)
    ]
    assert not missing, f"docs/python.md does not speak of {missing}"


def test_a_wrong_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'verfy'"):
        _ = inframind.verfy  # type: ignore[attr-defined]


LOADED = """
import sys
import inframind
light = set(sys.modules)
inframind.Verifier, inframind.verify
heavy = {"torch", "transformers", "fastapi", "sqlalchemy", "httpx"} & set(sys.modules)
print(sorted({"pydantic"} & light | heavy))
"""


def test_importing_loads_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


FORKED = """
import os
import inframind

text = "FROM alpine:3.22\\n"
assert inframind.verify(text).verdict == "pass"
child = os.fork()
if child == 0:
    os._exit(0 if inframind.verify(text).verdict == "pass" else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert inframind.verify(text).verdict == "pass"
"""


def test_a_forked_child_verifies_too() -> None:
    """The child has none of its parent's threads: with the parent's pool it would wait for ever."""
    done = subprocess.run(
        [sys.executable, "-c", FORKED], check=False, capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr


LEFT = """
import inframind
from inframind.verifier.verifier import _shared

inframind.verify("FROM alpine:3.22\\n")
print(*_shared().process_ids())
"""


def test_no_worker_outlives_the_program() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEFT], capture_output=True, text=True, check=True, cwd=ROOT
    )
    workers = done.stdout.split()
    assert workers
    assert [worker for worker in workers if Path(f"/proc/{worker}").exists()] == []
