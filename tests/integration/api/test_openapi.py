"""The OpenAPI document: frozen in a file that somebody reads, with examples that the service gives
and takes.
"""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel

from app.api import examples, judge, verify
from app.api.generate import REQUESTS
from app.catalog.views import AliasView, Comparison, ModelDetail, ModelView
from app.generation.answer import Generation
from app.generation.request import GenerateRequest, check_request
from app.jobs.views import EventView, JobView, MetricView
from app.judging.views import JudgementView
from app.main import document
from app.views import Page
from inframind.types import Verdict
from tests.support import ROOT

FROZEN = ROOT / "docs" / "openapi.json"


def test_the_document_is_the_frozen_one() -> None:
    assert document() == FROZEN.read_text(), (
        "the api has changed: if it was meant, run `make openapi` and commit"
    )


def test_every_answer_in_the_openapi_document_has_a_whole_example(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    operations = [op for path in document["paths"].values() for op in path.values()]
    assert len(operations) >= 13
    for operation in operations:
        for status, answer in operation["responses"].items():
            content = answer["content"]
            is_file = bool({"application/x-tar", "application/jsonl"} & set(content))
            assert is_file or all(form["example"] for form in content.values()), (
                operation["operationId"],
                status,
            )
    create = document["components"]["schemas"]["JobSpec"]["examples"]
    assert create[0]["method"] == "dapo"
    assert all(
        client.post("/jobs", json=example).status_code == 201
        for example in create
        if "start_from" not in example
    )


@pytest.mark.parametrize(
    ("view", "example"),
    [
        (JobView, examples.jobs.JOB), (JobView, examples.jobs.QUEUED),
        (JobView, examples.jobs.CANCELLED), (EventView, examples.jobs.EVENT),
        (MetricView, examples.jobs.METRIC), (Page[ModelView], examples.models.MODELS),
        (Generation, examples.generation.GENERATION), (Verdict, examples.verification.VERDICT),
        (JudgementView, examples.verification.JUDGEMENT),
        (ModelDetail, examples.models.ADAPTER_DETAIL), (Comparison, examples.models.COMPARISON),
        (AliasView, examples.models.ALIAS),
    ],
)  # fmt: skip
def test_the_examples_are_answers(view: type[BaseModel], example: dict[str, Any]) -> None:
    assert set(view.model_validate(example).model_dump(mode="json")) == set(example)


def test_the_examples_of_requests_are_accepted(client: TestClient) -> None:
    judged = client.post("/judge", json=judge.SINGLE).json()
    judged["verdict"]["verifier"] = examples.verification.VERDICT["verifier"]
    assert judged == examples.verification.JUDGEMENT
    assert client.post("/verify", json=verify.EXAMPLE).json() | {
        "verifier": ""
    } == examples.verification.VERDICT | {"verifier": ""}
    for request in REQUESTS:
        check_request(GenerateRequest.model_validate(request))
