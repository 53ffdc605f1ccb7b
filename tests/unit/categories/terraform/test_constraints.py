"""A provider's messages become constraints: alternatives, enumerations read in any case, and
requirements that no value could meet."""

import json
from pathlib import Path
from typing import Any

import pytest

from inframind.categories.terraform.constraints import violation
from inframind.types import Outcome, VerifyRequest
from inframind.verifier.ladder import score
from tools.terraform.constraint_messages import ProviderConstraints, alternatives
from tools.terraform.constraints import case_round, read_probes


@pytest.mark.parametrize(
    ("constraints", "right", "wrong"),
    [
        ([["range", 7, 30], ["in", [0]]], (0, 7, 30), (1, 31)),
        ([["in", [10, 20, 30]], ["multiple", 60]], (10, 60, 120), (15, 50)),
        (
            [["in", ["aurora-mysql", "mysql"]], ["prefix", "custom-"]],
            ("mysql", "custom-oracle"),
            ("oracle",),
        ),
        ([["arn"], ["account"]], ("123456789012", "arn:aws:iam::123456789012:root"), ("root",)),
    ],
)
def test_what_excludes_one_another_are_alternatives(
    constraints: list[list[Any]], right: tuple[Any, ...], wrong: tuple[Any, ...]
) -> None:
    (either,) = alternatives(constraints)
    assert all(violation(either, value) is None for value in right)
    assert all(violation(either, value) for value in wrong)


def test_what_a_value_can_meet_at_once_must_all_hold() -> None:
    constraints: list[list[Any]] = [["length", 1, 3], ["match", "^[a-z]+$"], ["in", ["ab", "abcd"]]]
    assert alternatives(constraints) == constraints


def test_an_enumeration_may_be_read_in_any_case(tmp_path: Path) -> None:
    """The probe in the other case says so: no message about the path, whatever else the provider
    dislikes."""
    recorded = ProviderConstraints()
    kind = ("resource", "aws_mq_broker")
    recorded.add(kind, "engine_type", ["in", ["ACTIVEMQ", "RABBITMQ"]])
    (probe,) = case_round(recorded)
    assert (probe.about, probe.text) == ("engine_type", "activemq")
    chunk = tmp_path / "4-0000"
    chunk.mkdir()
    fields = [[probe.mode, probe.kind, probe.value, probe.about, probe.text]]
    (chunk / "probes.json").write_text(json.dumps(fields))
    (chunk / "0.tf").write_text(
        'resource "aws_mq_broker" "r0" { # 0 \nengine_type = "activemq" # 0 engine_type\n}\n'
    )
    place = {"filename": "0.tf", "start": {"line": 1}}
    other = {
        "severity": "error",
        "summary": '"user.0.password" must be 12 to 250 characters long',
        "range": place,
    }
    (chunk / "result.json").write_text(json.dumps({"diagnostics": [other]}))
    assert read_probes(tmp_path).values[kind]["engine_type"] == []
    recorded.ignore_case(kind, "engine_type")
    (constraint,) = recorded.values[kind]["engine_type"]
    assert violation(constraint, "RabbitMQ") is None
    assert violation(constraint, "Kafka")


@pytest.mark.parametrize(
    ("value", "outcome"),
    [("aurora-mysql", Outcome.PASS), ("custom-oracle-ee", Outcome.PASS), ("oracle", Outcome.FAIL)],
)
def test_the_data_know_alternatives(value: str, outcome: Outcome) -> None:
    text = f'resource "aws_rds_cluster" "c" {{\n  engine = "{value}"\n}}\n'
    assert score(VerifyRequest(text=text, category="terraform", format="file")).verdict is outcome
