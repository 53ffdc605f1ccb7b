"""The YAML reader on what real files hold and on what hostile ones do."""

import pytest

from inframind.categories.base import ParseError, Rule
from inframind.categories.shared.yaml import (
    YamlError,
    line_of,
    load_all,
    yaml_documents,
    yaml_mapping,
)

RULE = Rule("syntax", "parse", "The text can be read", "https://yaml.org/spec/1.2.2/")


def test_scalars_are_yaml_1_2() -> None:
    assert load_all("on: no\nmode: 010\ntrue: yes\n2: ~\n") == [
        {"on": "no", "mode": "010", "true": "yes", "2": None}
    ]


def test_documents_without_content_are_left_out() -> None:
    assert load_all("---\n---\na: 1\n---\nb: 2\n...\n") == [{"a": 1}, {"b": 2}]
    assert load_all("# nothing\n") == []


def test_anchors_and_merge_keys_of_compose_and_gitlab_files() -> None:
    text = """
x-base: &base {image: app:1, environment: {A: "1"}}
x-more: &more {image: other:1, user: app}
services:
  web:
    <<: [*base, *more]
    environment: {B: "2"}
"""
    web = load_all(text)[0]["services"]["web"]
    assert web == {"image": "app:1", "user": "app", "environment": {"B": "2"}}


def test_a_tag_stays_visible() -> None:
    assert load_all("a: !reference [b, c]") == [{"a": {"!reference": ["b", "c"]}}]


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\na: 2",
        "a: [1",
        "a:\n\t- b: 1\n c",
        "&a [*a]",
        "? [a]\n: b",
        "- " * 200 + "a",
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(
            f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]\n"
            for i in range(8)
        ),
        "m0: &m0 {a: 1}\n"
        + "".join(f"m{i}: &m{i} {{<<: [*m{i - 1}, *m{i - 1}], k{i}: 1}}\n" for i in range(1, 40)),
    ],
)
def test_broken_text_and_bombs_are_refused(text: str) -> None:
    with pytest.raises(YamlError):
        load_all(text)


def test_an_error_knows_its_line() -> None:
    with pytest.raises(YamlError) as caught:
        load_all("a: 1\nb: [\nc: 2\n")
    assert caught.value.line is not None


MANIFEST = """\
# a comment
---
kind: Deployment
spec:
  template:
    spec:
      containers:
      - name: a
        image: x
        args: |
          image: not this
          - nor this
      - name: b
        "ports":
          - {containerPort: 1}
          -
            containerPort: 2
        image: y
metadata:
  name: q
---
kind: Service
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (["kind"], "kind: Deployment"),
        (["metadata", "name"], "  name: q"),
        (["spec", "template", "spec", "containers", 0, "image"], "        image: x"),
        (["spec", "template", "spec", "containers", 1], "      - name: b"),
        (["spec", "template", "spec", "containers", 1, "image"], "        image: y"),
        (
            ["spec", "template", "spec", "containers", 1, "ports", 0, "containerPort"],
            "          - {containerPort: 1}",
        ),
        (
            ["spec", "template", "spec", "containers", 1, "ports", 1, "containerPort"],
            "            containerPort: 2",
        ),
        (["spec", "replicas"], "spec:"),
    ],
)
def test_line_of_a_path(path: list[str | int], line: str) -> None:
    place = line_of(MANIFEST, path)
    assert place is not None
    assert MANIFEST.split("\n")[place - 1] == line


def test_line_of_looks_in_the_document_that_starts_there() -> None:
    assert line_of(MANIFEST, ["kind"], 20) == 22
    assert line_of(MANIFEST, ["kind"], 1) == 3
    assert line_of(MANIFEST, ["nothing"]) is None


def test_a_parsers_yaml_fails_in_one_form() -> None:
    assert yaml_mapping("a: 1\n", RULE, "write one mapping") == {"a": 1}
    assert yaml_documents("a\n---\n- b\n", RULE) == ["a", ["b"]]
    for text in ("", "- a\n", "a: 1\n---\nb: 2\n", "a\n"):
        with pytest.raises(ParseError, match="write one mapping"):
            yaml_mapping(text, RULE, "write one mapping")
    with pytest.raises(ParseError) as caught:
        yaml_mapping("a: [1\n", RULE, "write one mapping")
    (finding,) = caught.value.findings
    assert (finding.rule, finding.rung, finding.line) == ("syntax", "parse", 2)
