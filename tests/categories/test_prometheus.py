"""Prometheus: what an expression means, which alerts can fire, which jobs scrape, and which routes
are reached.
"""

import pytest

from inframind.categories import category
from inframind.categories.prometheus import promql, templates
from inframind.categories.prometheus.document import milliseconds
from inframind.types import VerifyRequest
from inframind.verifier.ladder import score

CATEGORY = category("prometheus")


def objects(text: str) -> set[tuple[str, str]]:
    document = CATEGORY.parse(text)
    assert not CATEGORY.schema(document) and not CATEGORY.references(document)
    return {(resource.kind, resource.name) for resource in CATEGORY.effective(document).resources}


def rules(text: str) -> set[str]:
    return {
        finding.rule
        for finding in score(
            VerifyRequest(text=text, category="prometheus", format="file")
        ).findings
    }


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("sum(rate(x[5m])) by (job)", "sum by (job) (rate(x[5m]))"),
        ("up{job='a'}  ==  0", 'up{job="a"} == 0'),
        ("x # a comment\n > 1", "x > 1"),
        ("(x > 1)", "x > 1"),
        ("rate(x[90m])", "rate(x[1h30m])"),
    ],
)
def test_one_meaning_has_one_text(text: str, other: str) -> None:
    assert promql.read(text).text == promql.read(other).text


@pytest.mark.parametrize(
    "text",
    [
        "rate(x)",
        "x[5m]",
        '"text"',
        "sum(x",
        "nosuch(x)",
        "x > bool",
        "",
        "x offset",
        "1 > 2",
        "x + " * 400 + "x",
    ],
)
def test_what_no_rule_can_evaluate(text: str) -> None:
    with pytest.raises(promql.PromqlError):
        promql.read(text)


@pytest.mark.parametrize(
    "text",
    [
        "vector(0) > 1",
        "x and on () vector(1) == 2",
        "x unless x",
        "sum(x) < sum(x)",
        "sum(vector(1) > 2)",
        "(vector(0) > 1) or (vector(0) > 2)",
        "rate(x[5m]) * on () (vector(0) > 1)",
    ],
)
def test_an_expression_that_gives_nothing_makes_no_rule(text: str) -> None:
    assert promql.read(text).never
    assert objects(
        f"groups: [{{name: g, rules: [{{alert: A, expr: '{text}'}}, {{alert: B, expr: up}}]}}]"
    ) == {
        ("group", "g"),
        ("alert", "B"),
    }


@pytest.mark.parametrize(
    "text",
    [
        "vector(1) > 0",
        "absent(vector(0) > 1)",
        "x > 1",
        "x or vector(0) > 1",
        "x >= x",
        "x unless y",
        "x > bool 1",
    ],
)
def test_an_expression_that_may_give_something(text: str) -> None:
    assert not promql.read(text).never


def test_what_is_known_of_an_expression() -> None:
    expression = promql.read('sum by (job) (rate(a{x="1"}[5m])) / sum by (job) (b) > 1 / 4')
    assert expression.metrics == ("a", "b") and expression.comparison == {"op": ">", "value": 0.25}
    assert promql.read("5 < x").comparison == {"op": ">", "value": 5.0}
    assert promql.read("sum by (job) (x) > 1").labels == {"job"}
    assert promql.read("x > 1").labels is None


def test_regular_expressions_are_those_of_re2() -> None:
    assert promql.is_regex(r'(.*)-\d+"') and promql.is_regex("")
    assert (
        not promql.is_regex("(?=x)") and not promql.is_regex("(a") and not promql.is_regex(r"(a)\1")
    )


@pytest.mark.parametrize(
    "text",
    [
        "{{ $labels.a }}",
        '{{ with query "up" }}{{ . | first | value }}{{ end }}',
        "{{/* x */}}",
        "{{- $value -}}",
        "a",
    ],
)
def test_templates(text: str) -> None:
    templates.check(text)


@pytest.mark.parametrize(
    "text",
    ["{{ $x }}", "{{ if $value }}", "{{ end }}", "{{ nosuch 1 }}", "{{", "{{ }}", "{{ $value | }}"],
)
def test_broken_templates(text: str) -> None:
    with pytest.raises(templates.TemplateError):
        templates.check(text)


def test_durations() -> None:
    assert (
        milliseconds("1h30m") == 5_400_000
        and milliseconds("0") == 0
        and milliseconds("1y2w") is not None
    )
    assert all(milliseconds(text) is None for text in ("", "5", "1.5m", "5m1h", "5 m", "-5m"))


@pytest.mark.parametrize(
    "part",
    [
        "static_configs: [{targets: []}]",
        "static_configs: [{targets: ['a:1']}], relabel_configs: [{action: drop}]",
        (
            "static_configs: [{targets: ['a:1']}], metric_relabel_configs: [{action: drop, "
            "source_labels: [__name__], regex: .*}]"
        ),
        "static_configs: [{targets: ['a:1']}], relabel_configs: [{action: keep, regex: x}]",
        "honor_labels: true",
    ],
)
def test_a_job_that_scrapes_nothing_is_not_there(part: str) -> None:
    assert objects(f"scrape_configs: [{{job_name: a, {part}}}]") == {("config", "")}


def test_a_route_behind_one_that_takes_everything_is_not_reached() -> None:
    text = """
route:
  receiver: a
  routes: [{receiver: b}, {receiver: c, matchers: [x="1"]}]
receivers: [{name: a}, {name: b}, {name: c}, {name: d}]
"""
    assert objects(text) == {
        ("alertmanager", ""),
        ("route", "a"),
        ("route", "b"),
        ("receiver", "a"),
        ("receiver", "b"),
    }
    assert ("receiver", "c") in objects(
        text.replace("receiver: b}", "receiver: b, continue: true}")
    )


def test_urls_are_targets_only_where_relabelling_writes_the_address() -> None:
    text = (
        "scrape_configs: [{job_name: a, static_configs: [{targets: ['https://x.example.com/']}]%s}]"
    )
    assert "invalid-target" in rules(text % "")
    assert "invalid-target" not in rules(
        text % ", relabel_configs: [{target_label: __address__, replacement: 'b:1'}]"
    )


def test_go_reads_an_empty_value_as_not_given() -> None:
    assert objects(
        "global: {scrape_interval: }\nscrape_configs: [{job_name: a, params: , "
        "dns_sd_configs: [{names: [x]}]}]"
    )
    assert "wrong-type" in rules("scrape_configs: [null]")
