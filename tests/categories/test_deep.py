"""The categories' own tools, run for real on the examples and on hostile texts."""

import json
import re
from pathlib import Path

import pytest

from inframind.categories import CATEGORIES, deep_tool
from inframind.categories.shared.checkov import Checkov
from inframind.categories.terraform.deep import TerraformValidate
from inframind.sandbox.isolation import Finished, isolation
from inframind.types import Outcome, Verdict, VerifyRequest
from inframind.verifier.agreement import agreement, requests_below
from inframind.verifier.deep import deepened
from inframind.verifier.verifier import Verifier
from tests.support import deep_tools

DATA = 'resource "terraform_data" "d" {\n  input = "d"\n}\n'
"""A resource that is in terraform itself: no provider needs to start, which takes seconds."""
WITH_TOOL = [name for name in CATEGORIES if deep_tool(name)]
TOOLS = [name for name in WITH_TOOL if name != "terraform"]
REFUSED: dict[str, set[str]] = {}
"""Good examples that a tool refuses, wrongly: hadolint's parser knows a heredoc only as the first
word (DL1000).
"""


@pytest.fixture(scope="module")
def terraform() -> TerraformValidate:
    return deep_tools.terraform()


def request(text: str, category: str) -> VerifyRequest:
    return VerifyRequest(text=text, category=category, format="file")


def deep(verifier: Verifier, text: str, category: str) -> Verdict:
    requests = [request(text, category)]
    return deepened(requests, verifier.verify_many(requests))[0]


def outcomes(tool: TerraformValidate, *texts: str) -> list[str]:
    return [opinion.outcome for opinion in tool.judge(texts)]


def test_hadolint_adds_its_findings_and_its_version(verifier: Verifier) -> None:
    deep_tools.need("dockerfile")
    verdict = deep(
        verifier,
        "FROM debian:12\n# hadolint ignore=DL3004\nRUN sudo true\nUSER app\n",
        "dockerfile",
    )
    assert verdict.verdict is Outcome.PASS
    assert ("hadolint", "warning", 3) in {
        (finding.rule, finding.severity, finding.line) for finding in verdict.findings
    }
    assert "hadolint 2." in verdict.verifier
    invalid = deep(
        verifier, "FROM debian:12\nRUN [\"sh\", '-c']\nRUN if then\nUSER app\n", "dockerfile"
    )
    assert invalid.verdict is Outcome.FAIL
    assert invalid.score <= 0.05


def test_actionlint_adds_its_findings(verifier: Verifier) -> None:
    deep_tools.need("github-actions")
    step = "      - run: echo ${{ github.no_such_thing }}\n"
    text = "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n" + step
    assert deep(verifier, text, "github-actions").verdict is Outcome.FAIL
    assert (
        deep(verifier, text.replace("no_such_thing", "sha"), "github-actions").verdict
        is Outcome.PASS
    )


def test_checkov_adds_its_advice_and_obeys_no_comment() -> None:
    """It pins what others need newer, so it is not among the extras: this runs where
    INFRAMIND_CHECKOV names its environment.
    """
    tool = Checkov("terraform", ".tf")
    if isolation() is None or tool.version() is None:
        pytest.skip(f"checkov is not here: {tool.remedy}")
    bucket = (
        'resource "aws_s3_bucket" "b" {\n  #checkov:skip=CKV_AWS_18:no\n'
        '  bucket = "confidential-name"\n}\n'
    )
    first, second, third = tool.judge([bucket, "output {", 'output "x" {\n  value = 1\n}\n'])
    assert [opinion.outcome for opinion in (first, second, third)] == ["accepts"] * 3
    assert any("CKV_AWS_18" in finding.message for finding in first.findings)
    assert {finding.rung for finding in first.findings} == {
        "policy"
    } and second.findings == third.findings == ()
    assert not any("confidential" in finding.message for finding in first.findings)


CHECKOV_REPORT = """{"check_type": "terraform", "results": {"failed_checks": [
{"check_id": "CKV_AWS_24",
"check_name": "Ensure no security groups allow ingress from 0.0.0.0:0 to port 22",
"file_path": "/0.tf", "file_line_range": [5, 12],
"resource": "aws_security_group.g"}]}, "summary": {"failed": 1}}"""


@pytest.mark.parametrize(
    ("output", "status", "lines_of_file"),
    [
        (CHECKOV_REPORT, 0, {"0.tf": [5]}), ('{"passed": 0, "failed": 0}', 0, {}), ("[]", 0, {}),
        (CHECKOV_REPORT, 2, None), ("Traceback", 0, None),
    ],
)  # fmt: skip
def test_what_checkov_prints_is_read(
    output: str, status: int, lines_of_file: dict[str, list[int]] | None
) -> None:
    """A report of checkov 3.3.30, shortened."""
    complaints = Checkov("terraform", ".tf").complaints(Finished(status, output, ""))
    lines = (
        None
        if complaints is None
        else {name: [complaint.line for complaint in own] for name, own in complaints.items()}
    )
    assert lines == lines_of_file


def test_zizmor_adds_its_advice_and_changes_no_verdict(verifier: Verifier) -> None:
    deep_tools.need("github-actions")
    step = (
        "      - run: echo ${{ github.event.issue.title }} # zizmor: ignore[template-injection]\n"
    )
    verdict = deep(
        verifier,
        "on: issues\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n" + step,
        "github-actions",
    )
    assert verdict.verdict is Outcome.PASS
    assert "zizmor 1." in verdict.verifier
    zizmor_findings = [finding for finding in verdict.findings if finding.rule == "zizmor"]
    assert ("warning", 6) in {(finding.severity, finding.line) for finding in zizmor_findings}
    assert not any("issue.title" in finding.message for finding in zizmor_findings)
    broken = deep(verifier, "on: [push\njobs: {}\n", "github-actions")
    assert broken.verdict is Outcome.FAIL


@pytest.mark.parametrize("name", WITH_TOOL)
def test_a_missing_tool_is_unscorable_and_names_the_remedy(
    name: str, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = deep_tool(name)
    assert tool is not None
    monkeypatch.setattr(type(tool), "version", lambda _: None)
    texts = [path.read_text() for path in CATEGORIES[name].examples("good")]
    verdict = deep(verifier, texts[0], name)
    assert verdict.verdict is Outcome.UNSCORABLE
    assert verdict.rungs["schema"] == "unscorable"
    assert tool.remedy in verdict.findings[-1].message


def test_a_category_without_a_tool_keeps_its_verdict(verifier: Verifier) -> None:
    text = "services:\n  web:\n    image: nginx:1.27\n"
    assert deep(verifier, text, "compose") == verifier.verify(request(text, "compose"))


def test_what_the_guards_refuse_reaches_no_tool(verifier: Verifier) -> None:
    assert deep(verifier, "FROM a\x00b", "dockerfile").rungs["extract"] == "fail"


def test_terraform_agrees_on_the_examples(terraform: TerraformValidate, verifier: Verifier) -> None:
    """Whatever only AWS is needed for. Two rules say what `terraform validate` does not see."""
    folder = CATEGORIES["terraform"].folder
    requests = [request(path.read_text(), "terraform") for path in sorted(folder.glob("*/*.tf"))]
    names = [path.stem for path in sorted(folder.glob("*/*.tf"))]
    verdicts = verifier.verify_many(requests)
    opinions = terraform.judge([each.text for each in requests])
    judged = 0
    for name, verdict, opinion in zip(names, verdicts, opinions, strict=True):
        if opinion.outcome in ("accepts", "rejects") and name != "wrong-document":
            judged += 1
            assert (opinion.outcome == "accepts") is (verdict.verdict is Outcome.PASS), name
    assert judged > 30


def test_one_text_that_breaks_the_run_makes_no_other_valid(
    terraform: TerraformValidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Terraform stops at an impossible provider before it reads a file: no file is blamed."""
    hostile = 'resource "aws_sqs_queue" "q" {\n  provider = var.nope\n}\n'
    assert outcomes(terraform, hostile) == ["unavailable"]
    monkeypatch.setattr(TerraformValidate, "_missing", lambda *_: set())
    assert outcomes(terraform, DATA.replace("input", "inptu"), hostile, DATA) == [
        "rejects",
        "rejects",
        "accepts",
    ]


def test_texts_of_a_batch_do_not_see_one_another(terraform: TerraformValidate) -> None:
    spy = 'locals {\n  a = fileset(path.root, "*/main.tf")\n}\n'
    before = terraform.runs
    assert outcomes(terraform, DATA, spy, DATA) == ["accepts"] * 3
    assert terraform.runs - before == 2, "a text that looks around runs alone"


def test_messages_carry_no_content_of_a_file(terraform: TerraformValidate) -> None:
    place = Path("/etc/hostname")
    content = place.read_text().strip() if place.is_file() else "no-such-name"
    texts = [
        'locals {\n  a = jsondecode(file("/etc/hostname"))\n}\n',
        'resource "aws_vpc" "v" {\n  cidr_block = file("/etc/hostname")\n}\n',
        'resource "aws_vpc" "v" {\n  cidr_block = "my-secret-value"\n}\n',
        DATA.replace('"d"\n', 'templatefile("/etc/passwd", {})\n'),
    ]
    for opinion in terraform.judge(texts):
        assert opinion.outcome in ("rejects", "abstains")
        for finding in opinion.findings:
            assert not any(
                word in finding.message for word in (content, "root:", "my-secret-value", "/etc")
            ), finding


def test_files_beside_the_text_are_stood_in_for(terraform: TerraformValidate) -> None:
    function = DATA.replace('"d"\n', 'filebase64sha256("${path.module}/f.zip")\n')
    assert outcomes(terraform, function, function, DATA) == ["accepts"] * 3
    pattern = 'locals {\n  a = regex("^a$", file("${path.module}/a.txt"))\n}\n'
    assert outcomes(terraform, pattern) == ["abstains"]


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_agrees_on_the_good_examples_and_finds_faults_in_the_bad(
    name: str, verifier: Verifier
) -> None:
    """One run of the tool for all, one bad example a rule."""
    deep_tools.need(name)
    tool = deep_tool(name)
    assert tool is not None
    package = CATEGORIES[name]
    files = [
        path
        for path in (*package.examples("bad"), *package.examples("good"))
        if not re.search(r"\.\d\.", path.name)
    ]
    opinions = dict(zip(files, tool.judge([path.read_text() for path in files]), strict=True))
    outcomes = {
        kind: {p.name: o.outcome for p, o in opinions.items() if p.parent.name == kind}
        for kind in ("good", "bad")
    }
    refused = {
        file.split(".")[0] for file, outcome in outcomes["good"].items() if outcome == "rejects"
    }
    assert refused == REFUSED.get(name, set())
    assert list(outcomes["bad"].values()).count("rejects") >= 5
    assert str(tool.version()) in deep(verifier, files[0].read_text(), name).verifier


def test_cfn_lint_obeys_no_word_of_the_template() -> None:
    """Metadata may switch its rules off, and name folders to load rules from."""
    deep_tools.need("cloudformation")
    hush = {
        "cfn-lint": {
            "config": {
                "ignore_checks": ["E"],
                "append_rules": ["/usr/lib/python3"],
                "ignore_bad_template": True,
            }
        }
    }
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"Nope": "my-secret-value"}, "Metadata": hush}
    template = {"Metadata": hush, "Resources": {"Queue": queue}}
    macro = {"Transform": "Mine", "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    tool = deep_tool("cloudformation")
    assert tool is not None
    quiet, unknown = tool.judge([json.dumps(template), json.dumps(macro)])
    assert quiet.outcome == "rejects"
    assert "my-secret-value" not in str(quiet)
    assert unknown.outcome == "abstains"


def test_ansible_starts_nothing_that_a_playbook_names() -> None:
    """A syntax check renders the hosts of a play, lookups included: there are none, and no file of
    ours is in sight.
    """
    deep_tools.need("ansible")
    play = "- hosts: {}\n  tasks:\n    - ansible.builtin.debug: {{msg: hello}}\n"
    tool = deep_tool("ansible")
    assert tool is not None
    texts = {
        play.format("all"): "accepts",
        play.format("\"{{ lookup('pipe', 'id') }}\""): "abstains",
        play.format("\"{{ query('file', '/etc/passwd') }}\""): "abstains",
        play.format("\"{{ ''.__class__.__mro__ }}\""): "rejects",
        play.format('"{{ target }}"'): "abstains",
        play.format("all") + "  vars_prompt: [{name: password}]\n": "accepts",
        "- import_playbook: 0.yml\n": "abstains",
        "- import_playbook: /inframind/0.yml\n": "abstains",
        "- hosts: all\n  roles: [nginx]\n": "abstains",
        "- ansible.builtin.debug:\n    msg: hello\n": "accepts",
        "- ansible.builtin.debugg:\n    msg: my-secret-value\n": "rejects",
        "- community.docker.docker_container:\n    name: a\n": "abstains",
    }
    opinions = dict(zip(texts, tool.judge(list(texts)), strict=True))
    assert {text: opinion.outcome for text, opinion in opinions.items()} == texts
    assert not any(
        word in str(list(opinions.values())) for word in ("my-secret-value", "/etc", "root")
    )


def test_the_measured_agreement_lists_the_gaps(verifier: Verifier, tmp_path: Path) -> None:
    deep_tools.need("dockerfile")
    (tmp_path / "a.Dockerfile").write_text("FROM debian:12\n")
    (tmp_path / "b.Dockerfile").write_text("FROM debian:12\nSTOPSIGNAL TERMINATE\n")
    (tmp_path / "c.Dockerfile").write_text("FROM\n")
    (measured,) = agreement(verifier, requests_below(tmp_path))
    assert (measured.category, measured.files, measured.both_accept, measured.both_reject) == (
        "dockerfile",
        3,
        1,
        1,
    )
    assert measured.false_reject == 1
    assert [gap.file for gap in measured.disagreements] == ["b.Dockerfile"]


def test_hadolint_reads_on_after_a_heredoc() -> None:
    """Its parser stops where the line after a heredoc begins with a word (hadolint issue 960);
    lines keep their numbers.
    """
    deep_tools.need("dockerfile")
    tool = deep_tool("dockerfile")
    assert tool is not None
    (opinion,) = tool.judge(
        ["FROM debian:12\nRUN <<EOF\ntrue\nEOF\n# then\nRUN sudo true\nUSER app\n"]
    )
    assert opinion.outcome == "accepts"
    assert 6 in {finding.line for finding in opinion.findings}
