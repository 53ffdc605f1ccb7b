"""`inframind verify` as a person, a pre-commit hook and a pipeline use it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from inframind.cli import app

GOOD = "services:\n  web:\n    image: nginx:1.27\n"
BAD = "services:\n  web:\n    image: nginx:1.27\n    networks: [nowhere]\n"


def run(*arguments: str | Path, stdin: str | bytes = "") -> Result:
    return invoke("verify", *arguments, stdin=stdin)


def invoke(*arguments: str | Path, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)], input=stdin)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "compose.yaml"
    path.write_text(GOOD)
    return path


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.yaml"
    path.write_text(BAD)
    return path


def test_a_right_file_passes_quietly(good: Path) -> None:
    result = run(good)
    assert result.exit_code == 0
    assert "PASS" in result.output


def test_a_wrong_file_fails_with_line_rule_and_the_line_itself(good: Path, bad: Path) -> None:
    result = run(good, bad)
    assert result.exit_code == 1
    assert f"{bad}:4 error" in result.output
    assert "4 |     networks: [nowhere]" in result.output
    assert "[references/" in result.output


def test_json_is_the_verdict_contract(bad: Path) -> None:
    verdict = json.loads(run("--json", "--category", "compose", bad).output)
    assert (verdict["id"], verdict["category"], verdict["verdict"]) == (str(bad), "compose", "fail")
    assert verdict["findings"][0]["line"] == 4


def test_sarif_has_one_result_per_finding(bad: Path) -> None:
    result = run("--sarif", bad)
    log = json.loads(result.output)
    sarif_result = log["runs"][0]["results"][0]
    assert result.exit_code == 1
    assert log["version"] == "2.1.0"
    assert sarif_result["locations"][0]["physicalLocation"]["region"] == {"startLine": 4}
    assert sarif_result["ruleId"] in {
        rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]
    }


def test_checks_from_a_file(good: Path, tmp_path: Path) -> None:
    checks = tmp_path / "checks.json"
    checks.write_text(
        '[{"op": "equals", "kind": "service", "name": "web", "path": "image", "value": '
        '"nginx:1.28"}]'
    )
    result = run("--checks", checks, good)
    assert result.exit_code == 1
    assert "image of service web is nginx:1.27, asked for nginx:1.28" in result.output


def test_a_listed_policy_counts(good: Path) -> None:
    good.write_text(GOOD.replace(":1.27", ":latest"))
    assert run(good).exit_code == 0
    assert run("--policy", "unpinned", good).exit_code == 1


def test_a_policy_counts_in_every_file_whose_category_has_it(tmp_path: Path) -> None:
    download = "curl -s https://x.example.com/a.sh | sh"
    (tmp_path / "Dockerfile").write_text(f"FROM alpine:3.20\nUSER app\nRUN {download}\n")
    (tmp_path / ".gitlab-ci.yml").write_text(f"build:\n  script: {download}\n")
    (tmp_path / "compose.yaml").write_text(GOOD)
    paths = [tmp_path / name for name in ("Dockerfile", ".gitlab-ci.yml", "compose.yaml")]
    result = run("--json", "--policy", "pipe-to-shell", *paths)
    verdicts = [json.loads(line) for line in result.output.splitlines()]
    assert [verdict["verdict"] for verdict in verdicts] == ["fail", "fail", "pass"]
    assert result.exit_code == 1


def test_a_policy_that_no_category_has_is_wrong_usage(good: Path) -> None:
    result = run("--policy", "unpined", good)
    assert result.exit_code == 2
    said = " ".join(result.output.split())
    assert "--policy: no category has a policy rule 'unpined'; did you mean 'unpinned'?" in said


def test_rules_are_listed_with_their_categories() -> None:
    assert "| `pipe-to-shell` | policy |" in invoke("rules").output
    assert invoke("rules", "dockerfile").output.startswith("# Rules: Dockerfile")
    assert invoke("rules", "cobol").exit_code == 2


@pytest.mark.parametrize(
    ("checks", "named"),
    [
        ("[{}]", "op"),
        ('[{"op": "equals", "kind": "a"}]', "path"),
        ("{", "JSON"),
        ('[{"op": "exists", "kind": "a", "x": 1}]', "0.x"),
    ],
)
def test_bad_checks_are_a_usage_error_that_names_the_field(
    good: Path, tmp_path: Path, checks: str, named: str
) -> None:
    path = tmp_path / "checks.json"
    path.write_text(checks)
    result = run("--checks", path, good)
    assert result.exit_code == 2
    assert named in result.output


@pytest.mark.parametrize(
    "arguments",
    [[], ["missing.tf"], ["--category", "no-such", "-"], ["--jsonl", "missing.jsonl"], ["--nope"]],
)
def test_wrong_usage_is_two(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_standard_input_may_be_an_answer() -> None:
    assert run("-", stdin=f"<think>\nx\n</think>\n```yaml\n{GOOD}```\n").exit_code == 0
    assert run("-", stdin=GOOD).exit_code == 0
    assert run("-", stdin=b"FROM a\xff\n").exit_code == 1


def test_a_hostile_file_does_not_steer_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text(
        'services:\n  web:\n    image: nginx:1\n    networks: ["a\\u001b[31m"]  # \u202e\n'
    )
    output = run(path).output
    assert "\x1b" not in output
    assert "\u202e" not in output


def test_jsonl_answers_every_line_in_order() -> None:
    lines = [
        {"id": "a", "category": "compose", "text": GOOD},
        {"id": "b", "category": "compose", "text": BAD, "extra": 1},
        {
            "id": "c",
            "category": "compose",
            "text": GOOD,
            "checks": [{"op": "exists", "kind": "service", "name": "db"}],
        },
        {"id": "d", "category": "compose", "text": "\ud800"},
        {"id": "e", "text": GOOD},
    ]
    result = run("--jsonl", "-", stdin="\n".join(map(json.dumps, lines)) + "\n\n")
    verdicts = [json.loads(line) for line in result.output.splitlines()]
    assert [verdict["id"] for verdict in verdicts] == ["a", "b", "c", "d", "e"]
    assert [verdict["verdict"] for verdict in verdicts] == ["pass", "fail", "fail", "fail", "pass"]
    assert set(verdicts[0]) >= {"id", "verdict", "score", "rungs", "findings"}
    assert result.exit_code == 1


def test_jsonl_reports_a_line_that_is_no_request_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    good = json.dumps({"id": "z", "category": "compose", "text": GOOD})
    path.write_text(
        f'{good}\n{{"id": "x"}}\nnot json\n{{"id": "y", "category": "no-such", "text": ""}}\n'
        f"{good}\n"
    )
    result = run("--jsonl", path)
    answers = [json.loads(line) for line in result.output.splitlines()]
    assert result.exit_code == 2
    assert ["error" in answer for answer in answers] == [False, True, True, True, False]
    assert answers[1]["error"]["param"] == "text"
    assert answers[3]["id"] == "y"
