"""Keeps the counts of a dataset's tokens with the artifacts, for the jobs that read it."""

from pathlib import Path

from app.artifacts import Artifacts
from inframind.datasets.lengths import counts_file, of_dataset
from inframind.models.registry import BASE_MODELS


def count_everywhere(artifacts: Artifacts, identity: str) -> None:
    """Counts the tokens of a dataset's rows for each base model whose tokenizer is here."""
    # Now, as an upload proves each row for minutes anyway: a job's answer must not wait for it.
    for base_model in BASE_MODELS:
        counted(artifacts, identity, base_model)


def counted(artifacts: Artifacts, identity: str, base_model: str) -> Path:
    """Makes the counts of a dataset's rows be here and gives the path of the rows.

    Raises DataError if the dataset is lost, StoreError.
    """
    path = artifacts.dataset(identity)
    counts = counts_file(path, base_model)
    artifacts.pull(counts)
    if not counts.exists():
        artifacts.pull(path)
        of_dataset(path, base_model)
        # None were made if the tokenizer is not here: another host may have it, and makes them.
        if counts.exists():
            artifacts.push(counts)
    return path
