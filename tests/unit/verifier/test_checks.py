"""Every op of docs/contracts/task.md, on a small configuration."""

from math import inf, nan
from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inframind.categories.base import Configuration, Link, Resource
from inframind.errors import DataError
from inframind.types import Check
from inframind.verifier.checks import evaluate, intent_share, is_negative, same, validate_checks
from inframind.verifier.paths import search
from tests.support.growth import QUADRATIC, growth

WEB = {
    "replicas": 3,
    "ready": True,
    "ratio": 0.5,
    "image": "nginx:1.27",
    "ports": [{"target": 80, "protocol": "tcp"}, {"target": 443, "protocol": "tcp"}],
    "labels": {"app": "web", "tier": "front"},
    "tags": ["a", "b"],
    "empty": [],
    "none": None,
}
DATABASE = {"replicas": 1, "image": "postgres:17", "labels": {"app": "db"}}
CONFIGURATION = Configuration(
    [
        Resource("service", "web", WEB),
        Resource("service", "db", DATABASE),
        Resource("volume", "data", {}),
    ],
    [Link(0, "depends_on", "service", "db"), Link(1, "volumes.source", "volume", "data")],
)


def holds(
    op: str, path: str | None = None, value: Any = None, kind: str = "service", **fields: Any
) -> bool:
    check = Check.model_validate({"op": op, "kind": kind, "path": path, "value": value, **fields})
    validate_checks([check])
    result = evaluate(check, CONFIGURATION)
    assert result.passed or result.message
    return result.passed


def test_exists_and_absent() -> None:
    assert holds("exists", name="web")
    assert not holds("exists", name="cache")
    assert not holds("exists", name="we")
    assert holds("exists", "labels.app", name="web")
    assert not holds("exists", "empty", name="web")
    assert not holds("exists", "none", name="web")
    assert holds("absent", kind="network")
    assert not holds("absent", name="web")
    assert holds("absent", "empty", name="web")
    assert not holds("absent", "tags"), "one of the selected objects has it"
    assert holds("absent", "tags", name="cache")


def test_equality_keeps_json_types_apart() -> None:
    assert holds("equals", "replicas", 3)
    assert holds("equals", "replicas", 3.0)
    assert not holds("equals", "replicas", "3")
    assert not holds("equals", "ready", 1)
    assert not holds("equals", "replicas", True, name="db")
    assert holds("equals", "ready", True)
    assert holds("equals", "labels", {"tier": "front", "app": "web"})
    assert not holds("equals", "labels", {"app": "web"}, name="web")
    assert not holds("equals", "missing.path", 3)


def test_not_equals_must_hold_everywhere() -> None:
    assert holds("not_equals", "replicas", 2)
    assert not holds("not_equals", "replicas", 1)
    assert not holds("not_equals", "replicas", 1, name="cache"), "of nothing nothing is said"


def test_one_of_and_matches() -> None:
    assert holds("one_of", "replicas", [2, 3])
    assert not holds("one_of", "replicas", ["3", True])
    assert holds("matches", "image", r"nginx:1\.\d+")
    assert not holds("matches", "image", "nginx")
    assert holds("matches", "replicas", "[0-9]")
    assert not holds("matches", "labels", ".*")
    assert not holds("matches", "none", ".*")


def test_contains() -> None:
    assert holds("contains", "tags", "a")
    assert not holds("contains", "tags", "c")
    assert holds("contains", "ports", {"target": 80})
    assert not holds("contains", "ports", {"target": "80"})
    assert holds("contains", "image", "1.27")
    assert holds("contains", "labels", {"app": "web"})
    assert not holds("contains", "labels", "app")


def test_numbers_and_lengths() -> None:
    assert holds("at_least", "replicas", 3)
    assert not holds("at_least", "replicas", 4)
    assert holds("at_most", "replicas", 3, name="web")
    assert holds("at_least", "ports", 2)
    assert not holds("at_least", "ready", 1)
    assert not holds("at_most", "image", 100)
    assert holds("at_least", "ratio", 0.5)


def test_count_where_and_every() -> None:
    assert holds("count", None, 2)
    assert not holds("count", None, 1)
    assert holds("count", None, 1, where={"replicas": 3})
    assert holds("exists", where={"labels.app": "db"})
    assert not holds("exists", where={"labels.app": "db"}, name="web")
    assert not holds("equals", "replicas", 3, every=True)
    assert holds("at_least", "replicas", 1, every=True)
    assert not holds("at_least", "replicas", 1, every=True, name="cache")


def test_references() -> None:
    assert holds("references", None, to={"kind": "service", "name": "db"}, name="web")
    assert holds("references", "depends_on", to={"kind": "service"}, name="web")
    assert not holds("references", "depends", to={"kind": "service"}, name="web"), (
        "a path is compared by whole fields"
    )
    assert holds("references", "volumes", to={"kind": "volume"}, name="db")
    assert not holds("references", None, to={"kind": "volume"}, name="web")
    assert not holds(
        "references", None, to={"kind": "service", "where": {"replicas": 3}}, name="web"
    )
    assert not holds("references", None, to={"kind": "service"}, every=True)


def test_any_of() -> None:
    options = [
        {"op": "exists", "kind": "service", "name": "cache"},
        {"op": "exists", "kind": "service", "name": "web"},
    ]
    assert holds("any_of", kind="", checks=options)
    assert not holds("any_of", kind="", checks=options[:1])


def test_a_message_says_what_is_and_what_was_asked() -> None:
    check = Check(op="equals", kind="service", name="web", path="replicas", value=5)
    assert evaluate(check, CONFIGURATION).message == "replicas of service web is 3, asked for 5"
    check = Check(op="at_least", kind="service", name="db", path="ports", value=1)
    assert (
        evaluate(check, CONFIGURATION).message
        == "ports of service db is missing, asked for at least 1"
    )


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"op": "equals", "kind": "service", "value": 1}, "path"),
        ({"op": "exists"}, "kind"),
        ({"op": "count", "kind": "service", "value": "1"}, "value"),
        ({"op": "count", "kind": "service", "value": True}, "value"),
        ({"op": "one_of", "kind": "service", "path": "a", "value": 1}, "value"),
        ({"op": "references", "kind": "service"}, "to"),
        (
            {"op": "references", "kind": "service", "to": {"kind": "a", "where": {"[": 1}}},
            "to.where",
        ),
        ({"op": "any_of"}, "checks"),
        ({"op": "any_of", "checks": [{"op": "exists"}]}, "checks.0.kind"),
        ({"op": "exists", "kind": "service", "path": "a[?"}, "path"),
        ({"op": "exists", "kind": "service", "path": "nothing(a)"}, "path"),
        ({"op": "exists", "kind": "service", "path": "a[?keys(b, c)]"}, "path"),
        ({"op": "exists", "kind": "service", "path": "a[::0]"}, "path"),
        ({"op": "exists", "kind": "service", "where": {"[": 1}}, "where"),
        ({"op": "matches", "kind": "service", "path": "a", "value": "("}, "value"),
        ({"op": "matches", "kind": "service", "path": "a", "value": "(?=a)"}, "value"),
        ({"op": "matches", "kind": "service", "path": "a", "value": "a" * 1001}, "value"),
        ({"op": "equals", "kind": "service", "path": "a"}, "value"),
        ({"op": "not_equals", "kind": "service", "path": "a", "value": None}, "value"),
        ({"op": "equals", "kind": "service", "path": "a", "value": nan}, "value"),
        ({"op": "at_most", "kind": "service", "path": "a", "value": inf}, "value"),
        ({"op": "one_of", "kind": "service", "path": "a", "value": [{"b": -inf}]}, "value"),
        ({"op": "contains", "kind": "service", "path": "a", "value": "\ud800"}, "value"),
        ({"op": "exists", "kind": "service", "where": {"a": nan}}, "where"),
        (
            {"op": "references", "kind": "service", "to": {"kind": "a", "where": {"b": inf}}},
            "to.where",
        ),
    ],
)
def test_a_check_without_meaning_is_refused_by_field(fields: dict[str, Any], param: str) -> None:
    good = Check(op="exists", kind="service")
    with pytest.raises(DataError) as caught:
        validate_checks([good, Check.model_validate(fields)])
    assert caught.value.param == f"checks.1.{param}"
    assert "checks.1" in str(caught.value)


def test_any_of_cannot_nest_without_end() -> None:
    check = Check(op="exists", kind="service")
    for _ in range(10):
        check = Check(op="any_of", checks=(check,))
    with pytest.raises(DataError):
        validate_checks([check])


def test_no_pattern_can_stall() -> None:
    check = Check(op="matches", kind="service", path="text", value="(a+)+b|(a|aa)+c")

    def judged(length: int) -> None:
        text = {"text": "a" * length}
        assert not evaluate(check, Configuration([Resource("service", "x", text)])).passed

    judged(9_999)
    assert growth(judged, 1_200) < QUADRATIC


def share(*pairs: tuple[dict[str, Any], bool]) -> float:
    from inframind.types import CheckResult

    checks = [Check.model_validate({"kind": "service", **fields}) for fields, _ in pairs]
    return intent_share(checks, [CheckResult(id="", passed=passed) for _, passed in pairs])


def test_the_share_of_intent() -> None:
    exists, absent = {"op": "exists"}, {"op": "absent"}
    assert share((exists, True), (exists, False)) == 0.5
    assert share((exists, True), (absent, True)) == 1.0
    assert share((exists, False), (absent, True), (absent, True)) == 0.0, (
        "an empty answer has no merit"
    )
    assert share((absent, True)) == 0.0
    assert share(({**exists, "gate": True}, False), (exists, True)) == 0.0
    assert (
        share(
            ({"op": "any_of", "checks": [{**exists, "kind": "a"}, {**absent, "kind": "b"}]}, True),
            (exists, False),
        )
        == 0.0
    )


def test_negative_checks() -> None:
    assert is_negative(Check(op="count", kind="a", value=0))
    assert not is_negative(Check(op="count", kind="a", value=1))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(allow_nan=False, width=16)
    | st.text("ab1", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=1), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(JSON, JSON)
def test_sameness_is_reflexive_and_symmetric(left: Any, right: Any) -> None:
    assert same(left, left)
    assert same(left, right) == same(right, left)


@given(
    st.sampled_from(
        ["exists", "absent", "contains", "at_least", "at_most", "equals", "one_of", "matches"]
    ),
    JSON,
    JSON,
)
def test_every_valid_check_evaluates_on_any_value(op: str, value: Any, wanted: Any) -> None:
    check = Check.model_validate({"op": op, "kind": "a", "path": "x", "value": wanted})
    try:
        validate_checks([check])
    except DataError:
        return
    evaluate(check, Configuration([Resource("a", "a", {"x": value})]))


@pytest.mark.parametrize(
    "path",
    [
        "a",
        "a.b",
        'a."b-c".d',
        "a.b.c",
        "missing.b",
        "list",
        "list.b",
        "list[0].b",
        "text.b",
        "a.{b: b}",
    ],
)
def test_a_path_leads_where_jmespath_says(path: str) -> None:
    data = {"a": {"b": {"c": None}, "b-c": {"d": 1}}, "list": [{"b": 2}], "text": "b"}
    assert search(path, data) == jmespath.search(path, data)
