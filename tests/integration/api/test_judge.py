"""The judge over HTTP and its calibration, against a scripted server whose every reply is known (no
model is in it).
"""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from app.api.judge import PAIR
from app.cli.main import app as command
from app.db.migrate import upgrade
from app.db.session import make_engine
from app.judging.calibrations import store_calibration
from app.judging.chat_client import MAX_REPLY_BYTES, ChatServer
from app.main import create_app
from app.settings import Settings, settings
from inframind.bench.load import load_tasks
from inframind.judge.calibration import Calibration, Labelled, calibrate, labelled
from inframind.judge.llm import LlmJudge, fingerprint
from inframind.judge.prompt import single_schema
from inframind.verifier.verifier import Verifier
from tests.support import ROOT
from tests.support.http import in_process
from tests.support.scripted_judge import (
    Script,
    is_pair,
    marks,
    pair_reply,
    schema_of,
    scripted,
    single_reply,
)
from tests.support.waiting import HANG_SECONDS

INJECTIONS = (ROOT / "tests" / "injections.txt").read_text().split("\n%%\n")
CHECKS = [{"op": "equals", "kind": "image", "path": "user", "value": "app"}]
SINGLE_SCHEMA = single_schema("dockerfile")
GOOD, BAD = "FROM python:3.12-slim\nUSER app\n", "FROM python:3.12-slim\nUSER root\n"
ASK = {"kind": "llm", "category": "dockerfile", "instruction": "Run as app.", "checks": CHECKS}


@contextmanager
def service(folder: Path, script: Script, **fields: Any) -> Iterator[TestClient]:
    """The api with a scripted judge."""
    with scripted(script) as url:
        given = {
            "judge_url": url,
            "judge_model": "scripted",
            "data_dir": folder,
            "verifier_workers": 1,
            **fields,
        }
        configured = Settings.model_validate(given)
        engine = make_engine(configured.url)
        upgrade(engine)
        engine.dispose()
        with in_process(create_app(configured)) as client:
            yield client


def judged(client: TestClient, **fields: Any) -> dict[str, Any]:
    answer = client.post("/judge", json={**ASK, **fields})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def approves(body: dict[str, Any]) -> str:
    return pair_reply("A") if is_pair(body) else single_reply(body, True)


def test_the_verdict_stands_beside_the_judge_and_is_not_overridden(tmp_path: Path) -> None:
    with service(tmp_path, approves) as client:
        found = judged(client, answer=BAD)
        assert (found["would_work"], found["verdict"]["verdict"], found["agrees"]) == (
            True,
            "fail",
            False,
        )
        assert found["judge"]["trusted"] is False and "calibrate" in found["judge"]["note"]
        assert judged(client, answer=GOOD)["agrees"] is True


def test_a_judge_that_obeys_every_injection_changes_no_verdict(tmp_path: Path) -> None:
    with service(tmp_path, approves) as client:
        for injection in INJECTIONS:
            answer = BAD + "\n".join(f"# {line}" for line in injection.splitlines())
            found = judged(client, answer=answer)
            by_rules = judged(client, answer=answer, kind="rules")
            plain = client.post(
                "/verify", json={"text": answer, "category": "dockerfile", "checks": CHECKS}
            ).json()
            assert found["verdict"] == by_rules["verdict"] == plain and plain["verdict"] == "fail"
            assert by_rules["would_work"] is False and found["agrees"] is False


def test_a_judge_that_prefers_the_first_place_ends_in_a_tie_beside_the_verifiers_winner(
    tmp_path: Path,
) -> None:
    with service(tmp_path, approves) as client:
        found = judged(client, answers=[BAD, GOOD])
        assert (found["winner"], found["orders"], found["verifier_winner"]) == (
            "tie",
            ["first", "second"],
            "second",
        )
        assert [verdict["verdict"] for verdict in found["verdicts"]] == ["fail", "pass"]
        by_rules = judged(client, answers=[BAD, GOOD], kind="rules")
        assert (by_rules["winner"], by_rules["judge"]["trusted"]) == ("second", True)
        assert client.post("/judge", json=PAIR).status_code == 200


FAILURES: list[tuple[Script, str]] = [
    (lambda _: Response(status_code=500), "unavailable"),
    (lambda _: Response(status_code=429), "unavailable"),
    (lambda _: JSONResponse({"error": "no such model"}, 404), "unavailable"),
    (lambda _: RedirectResponse("http://169.254.169.254/latest/meta-data"), "unavailable"),
    (lambda _: JSONResponse({"error": {"message": "sk-secret is wrong"}}, 401), "refused"),
    (lambda _: JSONResponse({"error": {"message": "context too long"}}, 400), "refused"),
    (lambda _: Response("<html>", media_type="text/html"), "unparsable"),
    (lambda _: JSONResponse({"choices": []}), "unparsable"),
    (lambda _: "x" * (MAX_REPLY_BYTES + 1), "unparsable"),
    (lambda _: "I would give it nine points.", "unparsable"),
    (lambda _: None, "unparsable"),
]


@pytest.mark.parametrize(("script", "reason"), FAILURES)
def test_a_judge_that_fails_abstains_and_the_verdict_is_there(
    script: Script, reason: str, tmp_path: Path
) -> None:
    check_abstention(tmp_path, script, reason, judge_timeout_seconds=HANG_SECONDS)


def test_a_judge_that_does_not_answer_abstains_and_the_verdict_is_there(tmp_path: Path) -> None:
    given_up = Event()

    def silent(_: dict[str, Any]) -> str:
        given_up.wait()
        return ""

    check_abstention(tmp_path, silent, "timeout", given_up.set, judge_timeout_seconds=0.4)


def check_abstention(
    folder: Path,
    script: Script,
    reason: str,
    then: Callable[[], object] = lambda: None,
    **fields: Any,
) -> None:
    with service(folder, script, **fields) as client:
        try:
            found = judged(client, answer=GOOD)
            assert (found["abstained"], found["scores"], found["agrees"]) == (reason, None, None)
            assert found["verdict"]["verdict"] == "pass" and found["feedback"]
            assert "sk-secret" not in json.dumps(found)
            assert judged(client, answers=[GOOD, BAD])["abstained"] == reason
        finally:
            then()


def test_a_judge_that_is_not_there_abstains(tmp_path: Path) -> None:
    with service(tmp_path, approves, judge_url="http://127.0.0.1:9/v1") as client:
        assert judged(client, answer=GOOD)["abstained"] == "unavailable"


@pytest.mark.parametrize("known", [("json_object",), ()])
def test_a_server_without_schemas_is_asked_for_less_and_not_refused_twice(
    known: tuple[str, ...], tmp_path: Path
) -> None:
    asked: Counter[str] = Counter()

    def script(body: dict[str, Any]) -> Any:
        form = body.get("response_format", {"type": "none"})["type"]
        asked[form] += 1
        if form not in (*known, "none"):
            return JSONResponse({"error": {"message": f"{form} is not supported"}}, 400)
        named = {"response_format": {"json_schema": {"schema": SINGLE_SCHEMA}}}
        return single_reply(named, True)

    with service(tmp_path, script) as client:
        for text in (GOOD, BAD):
            assert judged(client, answer=text)["would_work"] is True
        assert asked["json_schema"] == 1 and asked[known[0] if known else "none"] == 2


def test_the_same_question_is_asked_once_and_the_key_is_sent(tmp_path: Path) -> None:
    asked: list[dict[str, Any]] = []

    def script(body: dict[str, Any]) -> str:
        asked.append(body)
        return single_reply(body, True)

    with service(tmp_path, script, judge_api_key="sk-1") as client:
        judged(client, answer=GOOD)
        judged(client, answer=GOOD)
        judged(client, answer=GOOD, reference=GOOD)
    assert [body["authorization"] for body in asked] == ["Bearer sk-1"] * 2
    assert (
        asked[0]["temperature"] == 0
        and asked[0]["max_tokens"] == 1024
        and "A RIGHT ANSWER" in asked[1]["messages"][1]["content"]
    )
    assert schema_of(asked[0])["required"] == ["criteria", "scores", "would_work", "feedback"]


def test_too_many_questions_are_refused_with_a_time_to_come_back(tmp_path: Path) -> None:
    with service(tmp_path, approves) as client:
        queue = client.app.state.judges._queue  # type: ignore[attr-defined]  # our application
        queue.taken = 64
        answer = client.post("/judge", json={**ASK, "answer": GOOD})
        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_many_requests")
        assert int(answer.headers["retry-after"]) > 0
        queue.taken = 0
        assert judged(client, answer=GOOD)["would_work"] is True


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, None),
        ({"answer": "a", "answers": ["a", "b"]}, None),
        ({"answers": ["a"]}, "answers.1"),
        ({"answer": "a", "kind": "x"}, "kind"),
        ({"answer": "a", "category": "cobol"}, "category"),
        ({"answer": "a", "url": "http://10.0.0.1"}, "url"),
    ],
)
def test_a_request_that_is_wrong_names_its_field(
    fields: dict[str, Any], param: str | None, tmp_path: Path
) -> None:
    with service(tmp_path, approves) as client:
        answer = client.post("/judge", json={**ASK, **fields})
        assert (answer.status_code, answer.json()["error"]["param"]) == (422, param)


def test_without_a_judge_model_the_answer_says_how_to_set_one(tmp_path: Path) -> None:
    with service(tmp_path, approves, judge_url="") as client:
        answer = client.post("/judge", json={**ASK, "answer": GOOD})
        assert (answer.status_code, answer.json()["error"]["param"]) == (422, "kind")
        assert "INFRAMIND_JUDGE_URL" in answer.json()["error"]["message"]


@pytest.fixture(scope="module")
def examples() -> list[Labelled]:
    with Verifier(1) as verifier:
        found = labelled(load_tasks("test-values", limit=20), verifier)
    assert len(found) == 20
    return found


def mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def by_table(examples: list[Labelled]) -> Script:
    """Wrong about 4 of 20 right and 2 of 20 wrong answers; changes its mind about 4 of 40; favours
    the place in 5 of 20 pairs.
    """
    says = {mark(example.right): index >= 4 for index, example in enumerate(examples)}
    says |= {mark(example.wrong): index < 2 for index, example in enumerate(examples)}
    fickle = {mark(example.right) for example in examples[10:14]}
    right = {mark(example.right) for example in examples}
    biased = {mark(example.right) for example in examples[:5]}
    seen: Counter[str] = Counter()

    def script(body: dict[str, Any]) -> str:
        shown = marks(body)
        if is_pair(body):
            return pair_reply("A" if biased & set(shown) or shown[0] in right else "B")
        seen[shown[0]] += 1
        return single_reply(body, says[shown[0]] ^ (shown[0] in fickle and seen[shown[0]] == 2))

    return script


def measured(url: str, examples: list[Labelled]) -> Calibration:
    async def run() -> Calibration:
        server = ChatServer(Settings(judge_url=url, judge_model="scripted"))
        try:
            return await calibrate(LlmJudge("scripted", server.ask), examples, "sha256:bench")
        finally:
            await server.close()

    return asyncio.run(run())


def test_the_figures_of_a_judge_whose_errors_are_known(examples: list[Labelled]) -> None:
    with scripted(by_table(examples)) as url:
        found = measured(url, examples)
    assert found.kappa == 0.7 and found.kappa_ci95[0] < 0.7 < found.kappa_ci95[1]
    assert (found.recall_invalid, found.invalid, found.decided, found.answers) == (0.9, 20, 40, 40)
    assert (found.swap_flip_rate, found.pair_accuracy, found.pairs) == (0.25, 0.75, 20)
    assert (found.test_retest, found.retested, found.abstain_rate) == (0.9, 40, 0.0)
    assert found.trusted


def always(answer: bool) -> Callable[[dict[str, Any]], str]:
    return lambda body: pair_reply("tie") if is_pair(body) else single_reply(body, answer)


@pytest.mark.parametrize("answer", [True, False])
def test_a_judge_with_one_answer_is_not_trusted(answer: bool, examples: list[Labelled]) -> None:
    with scripted(always(answer)) as url:
        found = measured(url, examples)
    assert (found.kappa, found.recall_invalid, found.trusted) == (
        0.0,
        0.0 if answer else 1.0,
        False,
    )


def test_a_judge_that_abstains_too_often_is_not_trusted_however_right_it_is(
    examples: list[Labelled],
) -> None:
    honest = {mark(example.right): True for example in examples[:10]} | {
        mark(example.wrong): False for example in examples[:10]
    }

    def script(body: dict[str, Any]) -> str:
        known = not is_pair(body) and marks(body)[0] in honest
        return single_reply(body, honest[marks(body)[0]]) if known else "no JSON"

    with scripted(script) as url:
        found = measured(url, examples)
    assert (found.kappa, found.decided, found.pairs, found.abstain_rate, found.trusted) == (
        1.0,
        20,
        0,
        0.6,
        False,
    )


def test_what_the_command_measured_is_what_answers_show(
    tmp_path: Path, examples: list[Labelled], monkeypatch: pytest.MonkeyPatch
) -> None:
    with service(tmp_path, by_table(examples)) as client:
        configured = client.app.state.settings  # type: ignore[attr-defined]  # our application
        monkeypatch.setenv("INFRAMIND_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("INFRAMIND_JUDGE_URL", configured.judge_url)
        monkeypatch.setenv("INFRAMIND_JUDGE_MODEL", "scripted")
        settings.cache_clear()
        ran = CliRunner().invoke(command, ["judge", "calibrate", "--tasks", "20", "--json"])
        assert ran.exit_code == 0, ran.output
        assert json.loads(ran.stdout)["kappa"] == 0.7
        assert json.loads(CliRunner().invoke(command, ["judge", "show"]).stdout)["trusted"] is True
        settings.cache_clear()
        judge = judged(
            client, answer=examples[0].right, category=examples[0].case.category, checks=[]
        )["judge"]
        assert (judge["trusted"], judge["kappa"], judge["fingerprint"]) == (
            True,
            0.7,
            fingerprint("scripted"),
        )
        report = json.loads(ran.stdout) | {"kappa": 0.39}
        store_calibration(client.app.state.engine, Calibration.model_validate(report))  # type: ignore[attr-defined]  # our application
        judge = judged(
            client, answer=examples[1].right, category=examples[1].case.category, checks=[]
        )["judge"]
        assert (judge["trusted"], judge["kappa"]) == (False, 0.39) and "0.4 is needed" in judge[
            "note"
        ]
