"""The lengths of rows: counted once for each content, and as training sees the rows."""

from pathlib import Path

import pytest

from inframind.bench.load import load_tasks
from inframind.datasets import lengths
from inframind.datasets.lengths import RowLength, counts_file, of_bench, of_dataset
from inframind.datasets.rendering import render_task
from inframind.datasets.store import save
from inframind.errors import DataError
from inframind.types import Task

NANO = "inframind-nano"


def rows(count: int = 6) -> list[Task]:
    return [
        task.model_copy(update={"split": "test-values" if index == 0 else "train"})
        for index, task in enumerate(load_tasks("validation", limit=count))
    ]


def test_a_row_is_as_long_as_training_renders_it(tmp_path: Path) -> None:
    tasks = rows()
    counted = of_dataset(save(tasks, tmp_path), NANO)
    assert counted.is_counted and not counted.is_sample
    in_file_order = [*tasks[1:], tasks[0]]
    assert [row.tokens for row in counted.rows] == [
        render_task(task, NANO).num_tokens for task in in_file_order
    ]
    assert all(row.is_answered and 0 < row.answer_tokens < row.tokens for row in counted.rows)


def test_a_row_without_an_answer_is_its_prompt(tmp_path: Path) -> None:
    asked = [task.model_copy(update={"reference": ""}) for task in rows(2)]
    for row in of_dataset(save(asked, tmp_path), NANO).rows:
        assert (row.is_answered, row.answer_tokens) == (False, 0) and row.prompt_tokens > 0


def test_a_content_is_counted_once_also_by_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = save(rows(), tmp_path)
    counted = of_dataset(file, NANO)
    assert counts_file(file, NANO).is_file()
    lengths._read.cache_clear()
    monkeypatch.setattr(lengths, "count_tokens", None)
    assert of_dataset(file, NANO) == counted


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 0, "rows": []}'])
def test_damaged_counts_are_counted_anew(tmp_path: Path, content: str) -> None:
    file = save(rows(), tmp_path)
    counted = of_dataset(file, NANO)
    counts_file(file, NANO).write_text(content)
    lengths._read.cache_clear()
    assert of_dataset(file, NANO) == counted


def test_without_the_tokenizers_file_rows_have_no_length_and_nothing_is_kept(
    tmp_path: Path,
) -> None:
    file = save(rows(), tmp_path)
    uncounted = of_dataset(file, "Qwen/Qwen2.5-0.5B-Instruct")
    assert not uncounted.is_counted and len(uncounted.rows) == 6
    assert not counts_file(file, "Qwen/Qwen2.5-0.5B-Instruct").exists()


def test_a_lost_dataset_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError) as refused:
        of_dataset(tmp_path / f"ds-{0:032x}.jsonl", NANO)
    assert refused.value.param == "dataset"


def test_the_bench_is_a_sample_that_stands_for_all_of_its_tasks() -> None:
    bench = of_bench(NANO)
    assert bench.is_counted and bench.is_sample
    for split in ("train", "test-values", "test-families"):
        for hardest in (1, 5):
            standing = sum(
                row.stands_for
                for row in bench.rows
                if row.split == split and row.difficulty <= hardest
            )
            assert standing == len(load_tasks(split, max_difficulty=hardest))


def test_the_benchs_sample_is_near_to_the_longest_of_the_easy_tasks() -> None:
    easy = load_tasks("train", max_difficulty=1)
    longest = max(render_task(task, NANO).num_tokens for task in easy[::7])
    sampled = max(
        row.tokens for row in of_bench(NANO).rows if row.split == "train" and row.difficulty == 1
    )
    assert abs(sampled - longest) < 0.25 * longest


def test_tokens_are_those_of_both_pieces() -> None:
    assert RowLength("train", "dockerfile", 1, True, 3, 4).tokens == 7
