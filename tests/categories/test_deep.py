"""The categories' own tools, run for real on the examples and on hostile texts."""

from collections.abc import Iterator
from pathlib import Path

import deep_tools
import pytest

import inframind.categories as categories
from inframind.categories import CATEGORIES, DEEP_TOOLS, deep_tool
from inframind.categories.terraform.deep import TerraformValidate
from inframind.rewards.agreement import agreement, requests_below
from inframind.rewards.deep import deepened
from inframind.rewards.verifier import Verifier
from inframind.types import Outcome, Verdict, VerifyRequest

ROOT = Path(categories.__file__).parent
QUEUE = 'resource "aws_sqs_queue" "q" {\n  name = "q"\n}\n'


@pytest.fixture(scope="module")
def verifier() -> Iterator[Verifier]:
    with Verifier(workers=1) as verifier:
        yield verifier


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
    verdict = deep(verifier, "FROM debian:12\n# hadolint ignore=DL3004\nRUN sudo true\nUSER app\n", "dockerfile")
    assert verdict.verdict is Outcome.PASS
    assert ("hadolint", "warning", 3) in {(finding.rule, finding.severity, finding.line) for finding in verdict.findings}
    assert "hadolint 2." in verdict.verifier
    invalid = deep(verifier, "FROM debian:12\nRUN [\"sh\", '-c']\nRUN if then\nUSER app\n", "dockerfile")
    assert invalid.verdict is Outcome.FAIL
    assert invalid.score <= 0.05


def test_actionlint_adds_its_findings(verifier: Verifier) -> None:
    deep_tools.need("github-actions")
    step = "      - run: echo ${{ github.no_such_thing }}\n"
    text = "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n" + step
    assert deep(verifier, text, "github-actions").verdict is Outcome.FAIL
    assert deep(verifier, text.replace("no_such_thing", "sha"), "github-actions").verdict is Outcome.PASS


@pytest.mark.parametrize("name", DEEP_TOOLS)
def test_a_missing_tool_is_unscorable_and_names_the_remedy(name: str, verifier: Verifier, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = deep_tool(name)
    assert tool is not None
    monkeypatch.setattr(type(tool), "version", lambda _: None)
    package = CATEGORIES[name].split(".")[2]
    texts = [path.read_text() for path in sorted((ROOT / package / "good").glob("*"))]
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
    folder = ROOT / "terraform"
    requests = [request(path.read_text(), "terraform") for path in sorted(folder.glob("*/*.tf"))]
    names = [path.stem for path in sorted(folder.glob("*/*.tf"))]
    verdicts = verifier.verify_many(requests)
    opinions = terraform.judge([each.text for each in requests])
    judged = 0
    for name, verdict, opinion in zip(names, verdicts, opinions, strict=True):
        if opinion.outcome in ("accepts", "rejects") and name != "empty":
            judged += 1
            assert (opinion.outcome == "accepts") is (verdict.verdict is Outcome.PASS), name
    assert judged > 30


def test_one_text_that_breaks_the_run_makes_no_other_valid(terraform: TerraformValidate, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that cannot be is an error of no file: Terraform stops before it looks at anything."""
    hostile = 'resource "aws_sqs_queue" "q" {\n  provider = var.nope\n}\n'
    assert outcomes(terraform, hostile) == ["unavailable"]
    monkeypatch.setattr(TerraformValidate, "_missing", lambda *_: set())
    assert outcomes(terraform, QUEUE.replace("name", "nam"), hostile, QUEUE) == ["rejects", "rejects", "accepts"]


def test_texts_of_a_batch_do_not_see_one_another(terraform: TerraformValidate) -> None:
    spy = 'locals {\n  a = fileset(path.root, "*/main.tf")\n}\n'
    before = terraform.runs
    assert outcomes(terraform, QUEUE, spy, QUEUE) == ["accepts"] * 3
    assert terraform.runs - before == 2, "a text that looks around runs alone"


def test_messages_carry_no_content_of_a_file(terraform: TerraformValidate) -> None:
    place = Path("/etc/hostname")
    content = place.read_text().strip() if place.is_file() else "no-such-name"
    texts = [
        'locals {\n  a = jsondecode(file("/etc/hostname"))\n}\n',
        'resource "aws_vpc" "v" {\n  cidr_block = file("/etc/hostname")\n}\n',
        'resource "aws_vpc" "v" {\n  cidr_block = "my-secret-value"\n}\n',
        'resource "aws_sqs_queue" "q" {\n  name = templatefile("/etc/passwd", {})\n}\n',
    ]
    for opinion in terraform.judge(texts):
        assert opinion.outcome in ("rejects", "abstains")
        for finding in opinion.findings:
            assert not any(word in finding.message for word in (content, "root:", "my-secret-value", "/etc")), finding


def test_files_beside_the_text_are_stood_in_for(terraform: TerraformValidate) -> None:
    function = (
        'resource "aws_lambda_function" "f" {\n  function_name = "f"\n  role = "arn:aws:iam::123456789012:role/f"\n'
        '  filename = "f.zip"\n  source_code_hash = filebase64sha256("${path.module}/f.zip")\n}\n'
    )
    assert outcomes(terraform, function, function, QUEUE) == ["accepts"] * 3
    pattern = 'locals {\n  a = regex("^a$", file("${path.module}/a.txt"))\n}\n'
    assert outcomes(terraform, pattern) == ["abstains"]


def test_the_measured_agreement_lists_the_gaps(verifier: Verifier, tmp_path: Path) -> None:
    deep_tools.need("dockerfile")
    (tmp_path / "a.Dockerfile").write_text("FROM debian:12\n")
    (tmp_path / "b.Dockerfile").write_text("FROM debian:12\nSTOPSIGNAL TERMINATE\n")
    (tmp_path / "c.Dockerfile").write_text("FROM\n")
    (found,) = agreement(verifier, requests_below(tmp_path))
    assert (found.category, found.files, found.both_accept, found.both_reject) == ("dockerfile", 3, 1, 1)
    assert found.false_reject == 1
    assert [gap.file for gap in found.disagreements] == ["b.Dockerfile"]
