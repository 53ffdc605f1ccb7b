"""Grafana: PromQL with Grafana's variables, plugins, what is hidden."""

import json
from typing import Any

import pytest

from inframind.categories.grafana.panels import is_moment, promql_problem
from inframind.types import Check, Outcome, VerifyRequest
from inframind.verifier.ladder import score


def board(*panels: dict[str, Any], **more: Any) -> str:
    return json.dumps({"title": "a", "panels": list(panels)} | more)


def status(text: str) -> str:
    return score(VerifyRequest(text=text, category="grafana", format="file")).rungs["schema"]


@pytest.mark.parametrize(
    "expression",
    [
        "rate(x_total[$__rate_interval])",
        'sum by (code) (rate(x_total{job=~"$job", pod=~"${pod:regex}"}[$window]))',
        "x offset $shift",
        "topk($count, x)",
        "x{$filter}",
        "avg_over_time(x[${__range_s}s])",
        "$metric / 2",
    ],
)
def test_variables_of_grafana_are_filled_in(expression: str) -> None:
    assert promql_problem(expression) is None


@pytest.mark.parametrize(
    "expression", ["rate(x_total[5m)", "sum by code (x)", "rate(x_total[$window]", 'x{job="$job"']
)
def test_what_is_no_promql_is_found(expression: str) -> None:
    assert promql_problem(expression)


def test_moments() -> None:
    assert all(
        map(is_moment, ("now", "now-6h", "now/d", "now-1d/d", "2026-01-01", "2026-01-01T00:00:00Z"))
    )
    assert not any(map(is_moment, ("6h", "now - 6h", "yesterday", "", 5)))


def test_a_panel_of_a_plugin_is_unsupported() -> None:
    assert status(board({"id": 1, "type": "acme-panel", "title": "b"})) == "unsupported"


def test_the_wrapper_of_the_api_is_taken_off() -> None:
    inner = json.loads(board({"id": 1, "type": "stat", "title": "b"}))
    assert status(json.dumps({"dashboard": inner, "overwrite": True})) == "pass"


def test_a_paused_rule_is_not_there() -> None:
    query = {"refId": "A", "datasourceUid": "p", "model": {"expr": "up"}}
    rule = {"uid": "u", "title": "t", "condition": "A", "isPaused": False, "data": [query]}
    group = {"name": "g", "folder": "f", "interval": "1m", "rules": [rule]}
    text = f"apiVersion: 1\ngroups:\n  - {json.dumps(group)}\n"
    check = Check(op="exists", kind="alert-rule", name="t")
    request = VerifyRequest(text=text, category="grafana", format="file", checks=(check,))
    assert score(request).verdict is Outcome.PASS
    paused = request.model_copy(
        update={"text": text.replace('"isPaused": false', '"isPaused": true')}
    )
    assert score(paused).score <= 0.2
