"""Arguments that Terraform reads without evaluating them, and names; each verdict here is that of
`terraform validate` 1.11.4.
"""

import pytest

from inframind.types import Outcome, VerifyRequest
from inframind.verifier.ladder import score

TOPIC = 'resource "aws_sns_topic" "t" {{\n  {0}\n}}\n'
OTHER = 'resource "aws_sns_topic" "u" {\n  count = 1\n}\nvariable "x" {}\nlocals {\n  y = 0\n}\n'
INSTANCE = (
    'resource "aws_instance" "t" {{\n  ami           = "ami-12345678"\n'
    '  instance_type = "t3.micro"\n'
    "  lifecycle {{\n    ignore_changes = {0}\n  }}\n}}\n"
)
GROUP = 'resource "aws_security_group" "t" {{\n  ingress {{\n    from_port = 1\n    {0}\n  }}\n}}\n'
CONDITION = (
    'variable "x" {{\n  validation {{\n    condition     = {0}\n'
    '    error_message = "no"\n  }}\n}}\n'
)
CHECK = (
    'check "c" {{\n  data "aws_region" "r" {{{0}}}\n'
    '  assert {{\n    condition     = {1} != ""\n    error_message = "no"\n  }}\n}}\n'
)


def rules_of(text: str) -> list[str]:
    """The rules of what is wrong; empty where the file passes."""
    verdict = score(VerifyRequest(text=text, category="terraform", format="file"))
    wrong = [
        finding.rule
        for finding in verdict.findings
        if finding.severity == "error" and finding.rung != "policy"
    ]
    assert (verdict.verdict is Outcome.PASS) == (not wrong)
    return wrong


@pytest.mark.parametrize(
    "value",
    [
        "all", "[]", "[tags]", '["tags"]', '["tags.Name"]', "[tags[\"a\"]]",
        "[tags.b, tags_all, arn, id]", "[tags, tags]",
        "[root_block_device, root_block_device[0].volume_size, ebs_block_device]",
        "[root_block_device.0.volume_size]",
    ],
)  # fmt: skip
def test_ignore_changes_lists_arguments(value: str) -> None:
    assert rules_of(INSTANCE.format(value)) == []


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("everything", "static"), ("tags", "static"), ('"all"', "static"), ('["*"]', "static"),
        ("[(tags)]", "static"), ("[1]", "static"), ("[ebs_block_device[*].volume_size]", "static"),
        ('concat(["tags"], [])', "static"), ("[nope]", "unknown-attribute"),
        ('["nope"]', "unknown-attribute"), ("[var.x]", "unknown-attribute"),
        ("[aws_instance.t.tags]", "unknown-attribute"),
        ("[root_block_device.volume_size]", "unknown-attribute"),
        ("[ebs_block_device[0].volume_size]", "unknown-attribute"),
        ("[ami.x]", "unknown-attribute"),
    ],
)  # fmt: skip
def test_ignore_changes_lists_nothing_else(value: str, rule: str) -> None:
    assert rules_of(INSTANCE.format(value)) == [rule]


@pytest.mark.parametrize(
    ("items", "good"),
    [
        ("[aws_sns_topic.u]", True), ("[aws_sns_topic.u[0].arn]", True),
        ("[aws_sns_topic.u.nope]", True), ("[]", True), ("[aws_sns_topic.nowhere]", True),
        ("[upper(aws_sns_topic.u.arn)]", True), ("[aws_sns_topic.t.arn]", True), ("[var.x]", False),
        ("[local.y]", False), ('["x"]', False), ("[1]", False), ("aws_sns_topic.u.arn", False),
        ("[self.arn]", False), ("[aws_sns_topic.u[local.y]]", False),
        ("[[aws_sns_topic.u.arn, aws_sns_topic.u.id]]", False),
    ],
)  # fmt: skip
def test_a_replacement_is_triggered_by_resources(items: str, good: bool) -> None:
    text = OTHER + TOPIC.format(f"lifecycle {{\n    replace_triggered_by = {items}\n  }}")
    assert rules_of(text) == ([] if good else ["static"])


@pytest.mark.parametrize(
    ("items", "good"),
    [
        ("[aws_sns_topic.u]", True), ("[aws_sns_topic.u[0]]", True), ('["aws_sns_topic.u"]', True),
        ("[var.x]", True), ("[aws_sns_topic.u[*]]", False), ('["text"]', False),
        ('["aws_sns_topic.nowhere"]', False), ("[var.x.y]", False),
    ],
)  # fmt: skip
def test_dependencies_are_whole_objects(items: str, good: bool) -> None:
    assert (rules_of(OTHER + TOPIC.format(f"depends_on = {items}")) == []) is good


@pytest.mark.parametrize(
    ("block", "good"),
    [
        ("moved {\n  from = aws_sns_topic.a\n  to   = aws_sns_topic.b\n}", True),
        ("moved {\n  from = aws_sns_topic.a\n  to   = aws_sns_topic.b[0]\n}", True),
        ('moved {\n  from = module.a\n  to   = module.b["x"]\n}', True),
        ("moved {\n  from = module.a.aws_sns_topic.a\n  to   = aws_sns_topic.b\n}", True),
        ('moved {\n  from = "aws_sns_topic.a"\n  to   = aws_sns_topic.b\n}', False),
        ("moved {\n  from = aws_sns_topic.a.arn\n  to   = aws_sns_topic.b\n}", False),
        ("moved {\n  from = module.a\n  to   = aws_sns_topic.b\n}", False),
        ("moved {\n  from = aws_sns_topic.a[*]\n  to   = aws_sns_topic.b\n}", False),
        ("moved {\n  from = aws_sns_topic.a\n  to   = aws_sns_topic.b[each.key]\n}", False),
        ("moved {\n  from = aws_sns_topic\n  to   = aws_sns_topic.b\n}", False),
        ("moved {\n  from = var.a\n  to   = aws_sns_topic.b\n}", False),
        ("removed {\n  from = aws_sns_topic.a\n  lifecycle {\n    destroy = false\n  }\n}", True),
        ("removed {\n  from = module.a\n}", True),
        ("removed {\n  from = aws_sns_topic.a[0]\n}", False),
        ("removed {\n  from = data.aws_region.a\n}", False),
        ('removed {\n  from = module.a["x"].aws_sns_topic.a\n}', False),
        ('removed {\n  from = "aws_sns_topic.a"\n}', False),
        ('import {\n  to = aws_sns_topic.u[0]\n  id = "x"\n}', True),
        (
            (
                'import {\n  for_each = toset(["a"])\n  to = aws_sns_topic.u[each.key]\n'
                "  id = each.key\n}"
            ),
            True,
        ),
        ('import {\n  to = aws_sns_topic.u\n  id = ""\n}', False),
        ("import {\n  to = aws_sns_topic.u\n  id = null\n}", False),
        ('import {\n  to = aws_sns_topic.u.arn\n  id = "x"\n}', False),
        ('import {\n  to = "aws_sns_topic.u"\n  id = "x"\n}', False),
        ('import {\n  to = data.aws_region.r\n  id = "x"\n}', False),
    ],
)
def test_addresses_name_objects(block: str, good: bool) -> None:
    assert rules_of(f"{OTHER}{block}\n") == ([] if good else ["static"])


@pytest.mark.parametrize(
    ("condition", "good"),
    [
        ('var.x != ""', True), ("var.x > local.y", True), ("can(regex(\"a\", var.x))", True),
        ("length(var.x)", True), ("true", False), ('can(regex("a"))', False),
        ("length(local.y) > 1", False), ('"abc"', False),
    ],
)  # fmt: skip
def test_a_variables_condition_is_about_it(condition: str, good: bool) -> None:
    assert rules_of("locals {\n  y = 0\n}\n" + CONDITION.format(condition)) == (
        [] if good else ["static"]
    )


@pytest.mark.parametrize("kind", ["precondition", "postcondition"])
def test_a_condition_that_refers_to_nothing_tests_nothing(kind: str) -> None:
    block = (
        f"lifecycle {{{{\n    {kind} {{{{\n      condition     = {{0}}\n"
        f'      error_message = "no"\n    }}}}\n  }}}}'
    )
    good, bad = (
        TOPIC.format(block.format(condition)) for condition in ('path.module != ""', "1 > 0")
    )
    assert (rules_of(good), rules_of(bad)) == ([], ["static"])


def test_a_check_has_one_data_source_of_its_own() -> None:
    assert rules_of(CHECK.format("", "data.aws_region.r.name")) == []
    assert rules_of(CHECK.format("nope = 1", "data.aws_region.r.name")) == ["unknown-field"]
    assert rules_of(CHECK.format("", "data.aws_region.r.nope")) == ["unknown-attribute"]
    assert rules_of('data "aws_region" "r" {}\n' + CHECK.format("", "data.aws_region.r.name")) == [
        "duplicate"
    ]


@pytest.mark.parametrize(
    ("lines", "good"),
    [
        ("when    = destroy", True), ('when    = "destroy"', True), ("on_failure = continue", True),
        ("when    = never", False), ("on_failure = ignore", False),
        ("when    = destroy\n    working_dir = self.arn", True),
        (
            'when    = destroy\n    environment = { A = join(",", [for tag in self.tags : tag]) }',
            True,
        ),
        ("when    = destroy\n    environment = { (var.x) = self.arn }", False),
        ("when    = destroy\n    working_dir = var.x", False),
    ],
)  # fmt: skip
def test_provisioners_have_keywords_and_name_themselves_when_destroyed(
    lines: str, good: bool
) -> None:
    text = OTHER + TOPIC.format(
        f'provisioner "local-exec" {{\n    command = "x"\n    {lines}\n  }}'
    )
    assert rules_of(text) == ([] if good else ["static"])
    assert rules_of(
        'data "aws_region" "r" {\n  provisioner "local-exec" {\n    command = "x"\n  }\n}\n'
    ) == ["unknown-field"]


@pytest.mark.parametrize(
    ("lines", "good"),
    [
        (
            'command = "x"\n    interpreter = ["sh", "-c"]\n    environment = { A = 1 }\n'
            '    quiet = "true"',
            True,
        ),
        ("command = self.arn", True), ('command = ["x"]', False),
        ('command = "x"\n    environment = ["A=1"]', False),
        ('command = "x"\n    interpreter = "sh"', False),
    ],
)  # fmt: skip
def test_provisioners_have_types(lines: str, good: bool) -> None:
    assert rules_of(TOPIC.format(f'provisioner "local-exec" {{\n    {lines}\n  }}')) == (
        [] if good else ["wrong-type"]
    )


@pytest.mark.parametrize(("iterator", "good"), [("one", True), ('"one"', False), ("var.x", False)])
def test_an_iterator_is_a_name(iterator: str, good: bool) -> None:
    values = ("one.value" if good else "1", "1", '"tcp"')
    content = "".join(
        f"{n} = {v}\n" for n, v in zip(("from_port", "to_port", "protocol"), values, strict=True)
    )
    block = (
        f'dynamic "ingress" {{\n    for_each = [1]\n    iterator = {iterator}\n'
        f"    content {{\n{content}}}\n  }}\n"
    )
    text = f'variable "x" {{}}\nresource "aws_security_group" "g" {{\n  {block}}}\n'
    assert rules_of(text) == ([] if good else ["static"])


def test_an_object_with_count_is_indexed_in_itself_too() -> None:
    assert rules_of(TOPIC.format("count        = 1\n  display_name = aws_sns_topic.t.id")) == [
        "instance-key"
    ]
    assert rules_of(TOPIC.format("display_name = aws_sns_topic.t.nope")) == ["unknown-attribute"]
    assert rules_of(TOPIC.format("display_name = aws_sns_topic.t.id")) == []


def test_blocks_of_a_list_of_objects_have_its_required_members() -> None:
    assert rules_of(GROUP.format('to_port = 1\n    protocol = "tcp"')) == []
    assert rules_of(GROUP.format("to_port = 1")) == ["missing-field"]
    assert rules_of('variable "x" {}\n' + GROUP.format("to_port = var.x")) == []


@pytest.mark.parametrize(
    ("name", "good"),
    [("a-b_c", True), ("a+b=c,d.e@f", True), ("a b", False), ("a!", False), ("café", False)],
)
def test_names_hold_what_the_provider_accepts(name: str, good: bool) -> None:
    text = f'resource "aws_iam_policy" "p" {{\n  name   = "{name}"\n  policy = "{{}}"\n}}\n'
    assert rules_of(text) == ([] if good else ["invalid-value"])
