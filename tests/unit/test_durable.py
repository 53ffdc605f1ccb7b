"""What is written whole or not at all stays so, whoever else writes the same at the same moment."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from inframind.datasets.store import load, name_of, save
from inframind.durable import building, write_whole
from inframind.types import Task

THREADS, ROUNDS = 8, 25


def at_once(work: Callable[[int], object]) -> None:
    """Runs the same in many threads, which begin each round together."""
    start = threading.Barrier(THREADS)

    def run(thread: int) -> None:
        for _ in range(ROUNDS):
            start.wait()
            try:
                work(thread)
            except BaseException:
                # Nobody waits for this thread any more.
                start.abort()
                raise

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(run, thread) for thread in range(THREADS)]:
            done.result()


def test_equal_datasets_at_the_same_moment_are_one_dataset(tmp_path: Path) -> None:
    """M2: the temporary name was made of content and process id, which threads share."""
    task = Task(
        id="a",
        category="dockerfile",
        family="own",
        instruction="a Dockerfile",
        reference="FROM a:1\n",
        difficulty=1,
        split="train",
    )
    tasks = [task]
    at_once(lambda _: save(tasks, tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [f"{name_of(tasks)}.jsonl"]
    assert load(tmp_path / f"{name_of(tasks)}.jsonl", "train") == tasks


def test_a_file_is_always_one_writers_whole(tmp_path: Path) -> None:
    file = tmp_path / "file"

    def write(thread: int) -> None:
        write_whole(file, bytes([thread]) * 100_000, synced=False)
        data = file.read_bytes()
        assert len(data) == 100_000 and len(set(data)) == 1

    at_once(write)
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_several_build_is_there_once_and_whole(tmp_path: Path) -> None:
    folder = tmp_path / "folder"

    def build(_: int) -> None:
        with building(folder, synced=False) as made:
            made.mkdir()
            (made / "a").write_text("a")
            (made / "b").write_text("b")
        assert {path.name for path in folder.iterdir()} == {"a", "b"}

    at_once(build)
    assert list(tmp_path.iterdir()) == [folder]


def test_what_fails_half_way_leaves_nothing_and_what_was_there_before(tmp_path: Path) -> None:
    write_whole(tmp_path / "file", b"before")
    with pytest.raises(OSError, match="full"), building(tmp_path / "file") as made:
        made.write_bytes(b"aft")
        raise OSError("full")
    with pytest.raises(OSError, match="full"), building(tmp_path / "folder") as made:
        made.mkdir()
        raise OSError("full")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"before"
