"""Children are started by one function, and run our code wherever the command was started."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.waiting import HANG_SECONDS
from workers.process import ROOT, module_path, spawn

OURS = ("app", "inframind", "workers")


@pytest.fixture
def strange_folder(tmp_path: Path) -> Path:
    """A folder whose packages have the names of ours, and cannot be imported."""
    for name in OURS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('not ours')")
    return tmp_path


@pytest.mark.parametrize("on_the_path", [False, True])
def test_a_child_finds_our_modules_in_a_folder_with_packages_of_the_same_names(
    strange_folder: Path, on_the_path: bool
) -> None:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if on_the_path:
        env["PYTHONPATH"] = str(strange_folder)
    output = strange_folder / "output"
    with output.open("wb") as file:
        child = spawn(
            "workers.supervisor", "--help", env=env, cwd=strange_folder, stdout=file, stderr=file
        )
    assert child.wait(timeout=HANG_SECONDS) == 0, output.read_text()


def test_a_child_keeps_what_else_is_on_the_path(tmp_path: Path) -> None:
    (tmp_path / "theirs.py").write_text("print('found')")
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    child = spawn("theirs", env=env, cwd="/", stdout=subprocess.PIPE)
    assert child.communicate(timeout=HANG_SECONDS)[0] == b"found\n"


def test_a_childs_child_has_our_folder_on_its_path_once() -> None:
    of_the_child = module_path({"PYTHONPATH": "/theirs"})
    assert of_the_child["PYTHONPATH"].split(os.pathsep) == [str(ROOT), "/theirs"]
    assert module_path(of_the_child) == of_the_child
    assert module_path({})["PYTHONPATH"] == str(ROOT)


def test_a_childs_libraries_draw_no_bars_into_its_log(tmp_path: Path) -> None:
    """tqdm's own command draws one of the lines that pass through it."""
    (tmp_path / "lines").write_text("a line\n" * 3)
    env = {name: value for name, value in os.environ.items() if not name.startswith("TQDM")}
    with (tmp_path / "lines").open() as lines, (tmp_path / "log").open("w") as log:
        child = spawn("tqdm", env=env, stdin=lines, stdout=subprocess.DEVNULL, stderr=log)
        assert child.wait(timeout=HANG_SECONDS) == 0
    assert (tmp_path / "log").read_text() == ""
