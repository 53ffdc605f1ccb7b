"""The verifier through its worker processes: the same verdicts as the ladder in this process, and
no text that breaks it."""

import random
from collections.abc import Iterator
from itertools import pairwise

import pytest

from inframind.bench.load import load_tasks
from inframind.bench.prompt import answer
from inframind.categories import CATEGORIES
from inframind.errors import ConfigError, DataError
from inframind.stages._reward import overlong_reward, verified_reward
from inframind.types import Check, Outcome, Task, VerifyRequest
from inframind.verifier.ladder import score
from inframind.verifier.verifier import Verifier, report_id


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    return load_tasks("validation", limit=60)


def request(task: Task, text: str) -> VerifyRequest:
    return VerifyRequest(
        text=text, category=task.category, checks=task.checks, format="answer", id=task.id
    )


def test_the_pool_says_what_the_ladder_says(verifier: Verifier, tasks: list[Task]) -> None:
    requests = [request(task, answer(task)) for task in tasks]
    requests += [request(task, answer(task)[:-40]) for task in tasks]
    requests += [request(task, answer(other)) for task, other in pairwise(tasks)]
    verdicts = verifier.verify_many(requests)
    assert verdicts == [score(verify_request) for verify_request in requests]
    assert {verdict.verdict for verdict in verdicts[: len(tasks)]} == {Outcome.PASS}
    assert {verdict.verdict for verdict in verdicts[len(tasks) :]} == {Outcome.FAIL}


def test_a_meaningless_request_is_an_error_that_names_it(verifier: Verifier) -> None:
    good = VerifyRequest(text="FROM alpine:3.20\n", category="dockerfile")
    with pytest.raises(ConfigError) as unknown:
        verifier.verify(VerifyRequest(text="", category="no-such"))
    assert unknown.value.param == "category"
    bad = good.model_copy(update={"checks": (Check(op="equals", kind="image"),)})
    with pytest.raises(DataError) as caught:
        verifier.verify_many([good, bad])
    assert caught.value.param == "checks.0.path"
    assert "request 1" in str(caught.value)
    assert [type(answer).__name__ for answer in verifier.try_many([good, bad, good])] == [
        "Verdict",
        "DataError",
        "Verdict",
    ]
    surrogate = good.model_copy(update={"id": "\ud800"})
    assert isinstance(verifier.try_many([surrogate])[0], DataError)


def test_what_the_environment_cannot_do_is_unscorable() -> None:
    verifier = Verifier(workers=1)
    verifier.close()
    verdict = verifier.verify(VerifyRequest(text="FROM alpine:3.20\n", category="dockerfile"))
    assert verdict.verdict is Outcome.UNSCORABLE
    assert verdict.rungs["parse"] == "unscorable"


def test_a_crash_of_a_checker_is_not_the_texts_fault(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # A checker that raises for every text: a request in JSON is no number.
    monkeypatch.setattr("inframind.verifier.verifier.TARGET", "builtins:int")
    asked = VerifyRequest(text="FROM alpine:3.20 # unusual\n", category="dockerfile")
    with Verifier(workers=1) as verifier:
        verdict = verifier.verify(asked)
    assert (verdict.verdict, verdict.rungs["parse"]) == (Outcome.UNSCORABLE, "unscorable")
    assert verdict.findings[0].rule == "checker-crash"
    assert "ValueError in sandbox/worker.py" in verdict.findings[0].message
    assert report_id(asked.text) in verdict.findings[0].message
    assert report_id(asked.text) in caplog.text and "unusual" not in caplog.text


def hostile(rng: random.Random) -> Iterator[str]:
    """Texts that break parsers: bombs, deep nesting, long runs, broken bytes, and random mutations
    of all of them."""
    seeds = [
        "a: &a [x]\n" + "".join(f"b{i}: &b{i} [{'*a,' * 9}*a]\n" for i in range(50)),
        "a: &a [x]\n"
        + "".join(
            f"k{i}: &k{i} [{','.join([f'*k{i - 1}' if i else '*a'] * 9)}]\n" for i in range(12)
        ),
        "[" * 55 + "]" * 55,
        "- " * 5_000 + "a",
        "? " * 5_000 + "a",
        "a:\n" + "".join(" " * i + f"k{i}:\n" for i in range(120)),
        "x = " + "!" * 50_000 + "true",
        "x = " + "-" * 50_000 + "1",
        'x = "' + "${" * 50 + "a" + "}" * 50 + '"',
        "x = " + "a ? b : " * 10_000 + "c",
        "x = " + "a." * 50_000 + "b",
        "a = " + "1 + " * 40_000 + "1",
        "x = <<E\n" + "${a}" * 20_000 + "\nE\n",
        "".join(
            f'locals {{ a{i} = "${{local.a{i + 1}}}${{local.a{i + 1}}}" }}\n' for i in range(40)
        ),
        "FROM " + "a" * 90_000,
        "FROM a\nRUN " + "\\\n" * 9_000,
        "ARG A=${A}\nFROM ${A}\n" * 2_000,
        "FROM a\nENV " + " ".join(f"A{i}=${{A{i - 1}}}${{A{i - 1}}}" for i in range(2_000)),
        "apiVersion: v1\nkind: List\nitems:\n" + "- apiVersion: v1\n  kind: Pod\n" * 4_000,
        "on: push\njobs:\n  a:\n    if: ${{ " + "(" * 50 + "a" + ")" * 50 + " }}\n",
        "on: push\njobs:\n  a:\n    if: ${{ " + "a && " * 20_000 + "b }}\n",
        "on: push\njobs:\n" + "".join(f"  j{i}:\n    needs: [j{i + 1}]\n" for i in range(3_000)),
        "services:\n"
        + "".join(f"  s{i}:\n    image: a\n    depends_on: [s{i + 1}]\n" for i in range(3_000)),
        "a: .inf\nb: -.inf\nc: .nan\n",
        "a: " + "9" * 300,
        "a" * 99_000 + ":",
        'a: "' + "\\u0041" * 15_000 + '"',
        "\ufeff\u202e\u2028" * 1000,
        "\x01\x02\x7f" * 1000,
        " " * 90_000 + ":",
        "%YAML 9.9\n---\n!!python/object/apply:os.system ['true']\n",
    ]
    yield from seeds
    yield "x" * 10_000_000
    yield "a\x00b"
    yield "\ud800"
    while True:
        text = bytearray(rng.choice(seeds).encode("utf-8", "surrogatepass")[:20_000])
        for _ in range(rng.randint(1, 20)):
            text[rng.randrange(len(text))] = rng.randrange(256)
        yield text.decode("utf-8", "replace" if rng.random() < 0.9 else "surrogateescape")


@pytest.mark.parametrize("category", CATEGORIES)
def test_hostile_texts_fail_and_the_pool_lives(category: str) -> None:
    texts = hostile(random.Random(f"hostile:{category}"))
    with Verifier(workers=2) as verifier:
        for _ in range(3):
            requests = [VerifyRequest(text=next(texts), category=category) for _ in range(50)]
            verdicts = verifier.verify_many(requests)
            assert Outcome.UNSCORABLE not in {verdict.verdict for verdict in verdicts}
            killed = [
                verdict
                for verdict in verdicts
                if any(f.rule.startswith("checker-") for f in verdict.findings)
            ]
            assert all(verdict.score == 0 for verdict in killed), "hanging never pays"
            assert not killed, "guards and parsers see all of these coming"
        assert (
            verifier.verify(VerifyRequest(text="FROM alpine:3.20\n", category="dockerfile")).verdict
            is Outcome.PASS
        )


def test_the_reward_is_the_score_in_trls_calling_form(
    verifier: Verifier, tasks: list[Task]
) -> None:
    texts = {1: answer(tasks[0]), 2: "nothing"}
    logged: dict[str, float] = {}
    reward = verified_reward({task.id: task for task in tasks}, verifier, lambda ids: texts[ids[0]])
    scores = reward(
        prompts=["", ""],
        completions=["", ""],
        completion_ids=[[1], [2]],
        task_id=[tasks[0].id, tasks[0].id],
        trainer_state=None,
        log_metric=logged.__setitem__,
    )
    assert scores == [1.0, 0.0]
    assert logged["pass_rate"] == 0.5
    assert logged["unscorable_rate"] == 0.0


def test_an_unscorable_answer_has_no_reward(tasks: list[Task]) -> None:
    closed = Verifier(workers=1)
    closed.close()
    reward = verified_reward({task.id: task for task in tasks}, closed, lambda _: answer(tasks[0]))
    assert reward(completion_ids=[[1]], task_id=[tasks[0].id]) == [None]


def test_the_overlong_punishment_of_the_paper() -> None:
    overlong = overlong_reward(max_tokens=100, buffer_tokens=20, penalty=1.0)
    assert overlong(completion_ids=[[0] * length for length in (1, 80, 90, 100, 200)]) == [
        0.0,
        0.0,
        -0.5,
        -1.0,
        -1.0,
    ]
