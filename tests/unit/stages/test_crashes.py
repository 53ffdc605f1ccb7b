"""What a crash of a checker costs a run: the answer, and nobody's reward."""

from pathlib import Path

from inframind.stages._crashes import MAX_KEPT, CrashLog
from inframind.stages._reward import shares
from inframind.stages.evaluate import rate
from inframind.types import Outcome, Verdict, VerifyRequest
from inframind.verifier.ladder import score, unscorable
from tests.support.recorder import Recorder

GOOD = VerifyRequest(id="good", text="FROM alpine:3.20\n", category="dockerfile", format="file")
ODD = VerifyRequest(id="odd", text="FROM odd\n", category="dockerfile", format="file")


def crash(request: VerifyRequest = ODD) -> Verdict:
    return unscorable(request, "a checker crashed (TypeError in x.py:3)", rule="checker-crash")


def judge(log: CrashLog, good: int, crashes: int) -> None:
    log.add(
        [GOOD] * good + [ODD] * crashes, [score(GOOD)] * good + [crash() for _ in range(crashes)]
    )


def test_a_crashed_answer_is_kept_with_its_text(tmp_path: Path) -> None:
    context = Recorder(tmp_path)
    judge(CrashLog(context), 500, 1)
    assert context.events == [("warn", "checker_crash")]
    assert context.event_data[0] == {"task": "odd", "category": "dockerfile", "text": ODD.text}


def test_more_than_one_in_a_hundred_is_said_once(tmp_path: Path) -> None:
    context = Recorder(tmp_path)
    log = CrashLog(context)
    judge(log, 198, 2)
    assert ("warn", "checker_crashes") not in context.events
    judge(log, 50, 2)
    judge(log, 50, 2)
    assert context.events.count(("warn", "checker_crashes")) == 1
    assert context.event_data[-3] == {"crashes": 4, "answers": 252}


def test_of_very_many_only_the_count_goes_on(tmp_path: Path) -> None:
    context = Recorder(tmp_path)
    judge(CrashLog(context), 0, MAX_KEPT * 3)
    assert context.events.count(("warn", "checker_crash")) == MAX_KEPT
    assert context.event_data[-1]["crashes"] == MAX_KEPT * 3


def test_other_unscorable_answers_are_no_crash(tmp_path: Path) -> None:
    context = Recorder(tmp_path)
    CrashLog(context).add([ODD], [unscorable(ODD, "no worker")])
    assert not context.events


def test_an_unscorable_answer_is_in_no_rate() -> None:
    verdicts = [score(GOOD), crash(), crash(), score(ODD.model_copy(update={"text": "FROM"}))]
    assert [verdict.verdict for verdict in verdicts].count(Outcome.UNSCORABLE) == 2
    assert (rate(verdicts)["pass_at_1"], rate(verdicts)["n"]) == (0.5, 2)
    assert (shares(verdicts)["pass_rate"], shares(verdicts)["rungs/extract"]) == (0.5, 1.0)
    assert shares(verdicts)["unscorable_rate"] == 0.5
    assert shares([crash()]) == {"unscorable_rate": 1.0}
