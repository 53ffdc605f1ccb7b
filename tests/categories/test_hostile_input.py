"""A seeded share of `make fuzz` on every category: whatever comes, the checker answers and
lives."""

import os
import signal
from pathlib import Path

import pytest

from benchmarks.fuzz import SECRET, defect, fuzz, inputs
from inframind.categories import CATEGORIES
from inframind.types import Outcome, VerifyRequest
from inframind.verifier.ladder import score
from inframind.verifier.verifier import Verifier

COUNT = 1_000
POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
    - name: web
      image: nginx:1.27
"""
LOOP = """\
Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Queues:
    - Stage
    - !Ref []
    - Jobs&{Stage}:
        Type: AWS::SQS::Queue
"""
CRASHED = [
    ("kubernetes", POD + "      volumeMounts: [null]\n"),
    ("kubernetes", POD + "      ports:\n        -\n"),
    ("kubernetes", POD + "  volumes: [~]\n"),
    ("cloudformation", LOOP),
]
"""What 100,000 texts a category have found, made small."""


@pytest.mark.parametrize("name", CATEGORIES)
def test_hostile_texts_are_judged(name: str, tmp_path: Path) -> None:
    report = fuzz(name, COUNT, seed=1, secret=tmp_path / "secret")
    assert report.defects == []
    assert report.outcomes["pass"] and report.outcomes["fail"] > COUNT / 4


@pytest.mark.parametrize(("name", "text"), CRASHED)
def test_what_crashed_a_checker_once_is_refused(name: str, text: str) -> None:
    verdict = score(VerifyRequest(text=text, category=name, format="file"))
    assert (verdict.verdict, verdict.rungs["parse"]) == (Outcome.FAIL, "pass")


def test_a_list_of_texts_may_hold_null_as_in_kubernetes() -> None:
    assert (
        score(
            VerifyRequest(text=POD + "      args: [null]\n", category="kubernetes", format="file")
        ).verdict
        is Outcome.PASS
    )


def test_the_texts_are_the_same_every_time() -> None:
    assert (
        list(inputs("compose", 200, 7, "/s"))
        == list(inputs("compose", 200, 7, "/s"))
        != list(inputs("compose", 200, 8, "/s"))
    )


def test_a_checker_that_dies_is_a_defect() -> None:
    """The fuzzing itself can fail: a worker that is killed for every text is seen."""
    request = VerifyRequest(
        text="FROM alpine:3.20\n" + "RUN true\n" * 9_000, category="dockerfile", format="file"
    )
    with Verifier(workers=1, deadline_seconds=0.001) as verifier:
        verdict = verifier.verify(request)
    assert verdict.verdict is Outcome.FAIL
    assert (defect(verdict) or "").startswith("checker-deadline")


def test_a_verdict_that_holds_a_files_content_is_a_defect() -> None:
    request = VerifyRequest(text=f"{SECRET}: 1\n", category="compose", format="file")
    with Verifier(workers=1) as verifier:
        assert defect(verifier.verify(request)) == "a file was read"
        for pid in verifier.process_ids():
            os.kill(pid, signal.SIGKILL)
        assert verifier.verify(request).verdict is Outcome.FAIL
