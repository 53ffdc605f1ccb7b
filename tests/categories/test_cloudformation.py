"""CloudFormation: functions in every place, conditions, and what a stack would really hold."""

from typing import Any

import pytest

from inframind.categories import category
from inframind.types import Outcome, Verdict, VerifyRequest
from inframind.verifier.ladder import score

PARAMETERS = """Parameters:
  Name:
    Type: String
    Default: shop
  Size:
    Type: Number
    Default: 60
  Stage:
    Type: String
    Default: a
    AllowedValues: [a, b]
  Subnets:
    Type: List<AWS::EC2::Subnet::Id>
Conditions:
  IsA: !Equals [!Ref Stage, a]
  IsC: !Equals [!Ref Stage, c]
  Open: !Equals [!Ref Name, other]
Mappings:
  Sizes:
    a: {Delay: 5}
    b: {Delay: 6}
Resources:
"""


def judge(text: str) -> Verdict:
    return score(VerifyRequest(text=text, category="cloudformation", format="file"))


def queue(properties: str, attributes: str = "") -> str:
    head = "  Other:\n    Type: AWS::SQS::Queue\n  Queue:\n    Type: AWS::SQS::Queue\n"
    return f"{PARAMETERS}{head}{attributes}    Properties:\n      {properties}\n"


def fields(text: str) -> Any:
    kind = category("cloudformation")
    return {
        resource.name: resource.fields for resource in kind.effective(kind.parse(text)).resources
    }


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("QueueName: !Ref Name", {"QueueName": "shop"}),
        ("QueueName: !Sub '${Name}-x'", {"QueueName": "shop-x"}),
        ("QueueName: !Sub ['${Name}-${b}', {b: !Ref Name}]", {"QueueName": "shop-shop"}),
        ("QueueName: !Join ['-', [a, !Ref Name]]", {"QueueName": "a-shop"}),
        (
            "QueueName: !Sub '${AWS::StackName}-x'",
            {"QueueName": {"Fn::Sub": "${AWS::StackName}-x"}},
        ),
        (
            "QueueName: !Sub '${Other.QueueName}'",
            {"QueueName": {"Fn::GetAtt": ["Other", "QueueName"]}},
        ),
        ("VisibilityTimeout: !Ref Size", {"VisibilityTimeout": 60}),
        ("VisibilityTimeout: '60'", {"VisibilityTimeout": 60}),
        ("FifoQueue: 'true'", {"FifoQueue": True}),
        ("DelaySeconds: !FindInMap [Sizes, b, Delay]", {"DelaySeconds": 6}),
        ("DelaySeconds: !FindInMap [Sizes, !Ref Stage, Delay]", {"DelaySeconds": 5}),
        ("QueueName: !Ref AWS::NoValue", {}),
        ("QueueName: !If [IsC, a, b]", {"QueueName": "b"}),
        ("QueueName: !If [Open, a, b]", {"QueueName": {"Fn::If": ["Open", "a", "b"]}}),
        ("QueueName: !Select [1, [a, b]]", {"QueueName": "b"}),
        ("QueueName: !Select [0, !Split ['-', 'x-y']]", {"QueueName": "x"}),
    ],
)
def test_values_are_resolved_where_they_are_exact(written: str, value: Any) -> None:
    text = queue(written)
    assert judge(text).verdict is Outcome.PASS, judge(text).findings
    assert {key: item for key, item in fields(text)["Queue"].items() if key != "DependsOn"} == value


@pytest.mark.parametrize(("condition", "exists"), [("IsA", True), ("IsC", False), ("Open", True)])
def test_a_resource_whose_condition_never_holds_is_not_there(condition: str, exists: bool) -> None:
    assert ("Queue" in fields(queue("DelaySeconds: 1", f"    Condition: {condition}\n"))) is exists


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("QueueName: !Ref Subnets", "wrong-type"),
        ("QueueName: !GetAZs ''", "wrong-type"),
        ("Tags: !Sub x", "wrong-type"),
        ("Tags: [{Key: a}]", "missing-field"),
        ("Tags: [{Key: a, Val: b}]", "unknown-field"),
        ("DelaySeconds: 901", "invalid-value"),
        ("DelaySeconds: null", "wrong-type"),
        ("QueueName: !Sub '${Nowhere}'", "undefined"),
        ("QueueName: !Sub '${Other.Nothing}'", "unknown-attribute"),
        ("QueueName: !If [Nowhere, a, b]", "undefined"),
        ("DelaySeconds: !FindInMap [Sizes, c, Delay]", "undefined"),
        ("QueueName: !Select [2, [a, b]]", "invalid-arguments"),
        ("QueueName: !ToJsonString {a: b}", "invalid-arguments"),
        ("RedrivePolicy: {deadLetterTargetArn: !GetAtt Queue.Arn}", "cycle"),
    ],
)
def test_wrong_values_are_found(written: str, rule: str) -> None:
    verdict = judge(queue(written))
    assert verdict.verdict is Outcome.FAIL
    assert rule in {finding.rule for finding in verdict.findings}, verdict.findings


def test_what_a_condition_may_take_away_is_not_required_twice() -> None:
    text = queue("Tags: [{Key: a, Value: !If [Open, b, !Ref AWS::NoValue]}]")
    assert judge(text).verdict is Outcome.PASS


def test_json_and_yaml_are_one() -> None:
    text = (
        '{"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": "5"}}}}'
    )
    assert fields(text)["Queue"]["DelaySeconds"] == 5
    assert judge(text).verdict is Outcome.PASS
    assert judge(text.replace('"Queue": {', '"Queue": {"Type": "x", ', 1)).rungs["parse"] == "fail"


def test_a_macro_is_unsupported_and_sam_is_not() -> None:
    assert judge("Transform: Mine\n" + queue("DelaySeconds: 1")).rungs["schema"] == "unsupported"
    assert (
        judge("Transform: AWS::Serverless-2016-10-31\n" + queue("DelaySeconds: 1")).verdict
        is Outcome.PASS
    )


def test_lines_of_findings() -> None:
    finding = judge(
        "Resources:\n  A:\n    Type: AWS::SQS::Queue\n    Properties:\n      Delay: 1\n"
    ).findings[0]
    assert (finding.rule, finding.line) == ("unknown-field", 5)


def loops(text: str) -> str:
    return f"Transform: AWS::LanguageExtensions\n{PARAMETERS}{text}"


def test_loops_are_unrolled() -> None:
    properties = "{QueueName: !Sub '${AWS::StackName}-${X}', DelaySeconds: !Ref X}"
    body = f"${{X}}Queue:\n        Type: AWS::SQS::Queue\n        Properties: {properties}\n"
    found = fields(loops(f"  Fn::ForEach::Queues:\n    - X\n    - ['1', '2']\n    - {body}"))
    assert [found[name]["DelaySeconds"] for name in ("1Queue", "2Queue")] == [1, 2]
    assert found["2Queue"]["QueueName"] == {"Fn::Sub": "${AWS::StackName}-2"}


@pytest.mark.parametrize(
    ("loop", "rule"),
    [
        ("[X, [a, b], {Queue: {Type: AWS::SQS::Queue}}]", "syntax"),
        ("[X, [], {'${X}': {Type: AWS::SQS::Queue}}]", "syntax"),
        ("[X, [a], [b]]", "syntax"),
        ("[Name, [a], {'${Name}': {Type: AWS::SQS::Queue}}]", "syntax"),
        ("[X, [a], {'${X}': {Type: AWS::SQS::Queue, Properties: {Nope: 1}}}]", "unknown-field"),
        ("[X, !Ref Subnets, {'${X}': {Type: AWS::SQS::Queue}}]", "not-verified"),
    ],
)
def test_what_is_wrong_with_a_loop_is_found(loop: str, rule: str) -> None:
    assert rule in {
        finding.rule for finding in judge(loops(f"  Fn::ForEach::All: {loop}\n")).findings
    }


def test_loops_in_loops_end_in_time() -> None:
    inner = "{'${A}${B}${C}${D}': {Type: AWS::SQS::Queue}}"
    for name in "DCBA":
        inner = f"{{'Fn::ForEach::{name}': [{name}, {list('abcdefghijklmnop')}, {inner}]}}"
    assert judge(loops(f"  {inner[1:-1]}\n")).verdict is Outcome.FAIL
