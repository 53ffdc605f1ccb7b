"""One vocabulary: a duty has one id in every category, and a policy counts wherever one has it."""

import re
from importlib.resources import files

import jsonschema_rs
import pytest

from inframind.categories import CATEGORIES, category, vocabulary
from inframind.categories.base import Rule
from inframind.categories.shared.policies import (
    downloads_to_shell,
    is_secret_field,
    is_secret_variable,
    is_unpinned,
)
from inframind.categories.shared.rules import DUTIES, KEYWORDS, FieldRules
from inframind.errors import DataError
from inframind.types import Outcome, VerifyRequest
from inframind.verifier.ladder import score
from inframind.verifier.report import sarif
from inframind.verifier.rules import OWN, TOOLS, validate_policies
from inframind.verifier.verifier import Verifier

RULES = [(name, rule) for name in CATEGORIES for rule in category(name).rules]
DOWNLOAD = {
    "dockerfile": "FROM alpine:3.20\nUSER app\nRUN curl -s https://x.example.com/a.sh | sh\n",
    "gitlab-ci": "build:\n  script: curl -s https://x.example.com/a.sh | sh\n",
    "jenkins": """pipeline {
  agent any
  options { timeout(time: 1, unit: 'HOURS') }
  stages { stage('Build') { steps { sh 'curl -s https://x.example.com/a.sh | sh' } } }
}
""",
    "ansible": """- name: Install
  hosts: all
  tasks:
    - name: Install
      ansible.builtin.shell: curl -s https://x.example.com/a.sh | sh
""",
    "compose": """services:
  web:
    image: nginx:1.27
    healthcheck:
      test: curl -s https://x.example.com/a.sh | sh
""",
    "github-actions": """on: push
permissions: {}
jobs:
  setup:
    runs-on: ubuntu-24.04
    steps:
      - run: curl -s https://x.example.com/a.sh | sh
""",
}
WORDS = {
    "pipe-to-shell": {
        "dockerfile",
        "compose",
        "github-actions",
        "gitlab-ci",
        "jenkins",
        "ansible",
    },
    "unpinned": {
        "kubernetes",
        "dockerfile",
        "compose",
        "github-actions",
        "gitlab-ci",
        "jenkins",
        "mlops",
        "ansible",
        "helm",
    },
    "insecure-tls": {"ansible", "prometheus", "grafana"},
    "run-as-root": {"kubernetes", "dockerfile", "mlops", "helm"},
    "privileged": {"kubernetes", "compose", "mlops", "helm"},
    "unencrypted": {"terraform", "cloudformation", "mlops"},
    "open-ingress": {"terraform", "cloudformation"},
    "public-access": {"terraform", "cloudformation"},
    "iam-wildcard": {"terraform", "cloudformation"},
    "injection": {"github-actions", "jenkins"},
    "exposed-secret": {"cloudformation", "gitlab-ci", "jenkins", "ansible"},
}
"""The duties that a user asks for by name -> who has them."""


@pytest.mark.parametrize(("name", "rule"), RULES, ids=str)
def test_a_rule_of_a_shared_duty_is_made_from_it(name: str, rule: Rule) -> None:
    duty = DUTIES.get(rule.id)
    if duty is None:
        makers = {CATEGORIES[user].foundation or user for user in vocabulary()[rule.id]}
        assert len(makers) == 1, f"{rule.id}: make it a Duty, {makers} have it"
        assert rule.summary not in {duty.summary for duty in DUTIES.values()}
    else:
        assert rule.summary == duty.summary or rule.summary.startswith(f"{duty.summary}: ")
        assert (rule.rung == "policy") is (duty.rung == "policy")
        assert (rule.severity == "unsupported") is (duty.id == "not-verified")
    assert rule.source.startswith("https://")
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.id)


def test_what_is_unsupported_is_not_verified() -> None:
    assert {rule.id for _, rule in RULES if rule.severity == "unsupported"} == {"not-verified"}


def test_one_summary_has_one_id() -> None:
    ids: dict[str, set[str]] = {}
    for rule in (*(rule for _, rule in RULES), *OWN, *TOOLS):
        ids.setdefault(rule.summary, set()).add(rule.id)
    assert not {summary: each for summary, each in ids.items() if len(each) > 1}


@pytest.mark.parametrize("duty", WORDS)
def test_duties_that_users_ask_for_have_one_id(duty: str) -> None:
    assert set(vocabulary()[duty]) == WORDS[duty]


def test_the_verifiers_own_ids_are_no_categorys() -> None:
    own = [rule.id for rule in (*OWN, *TOOLS)]
    assert len(own) == len(set(own))
    assert not set(own) & vocabulary().keys()


def test_every_id_that_the_verifier_writes_is_listed() -> None:
    """Ids in its source that look like one: they are written where the text is judged."""
    written = set()
    for package in ("inframind.verifier", "inframind.sandbox"):
        for path in files(package).iterdir():
            if path.name.endswith(".py") and path.name != "rules.py":
                text = path.read_text()
                written |= set(re.findall(r'(?:rule=|Refusal\(\s*)"([a-z-]+)"', text))
    assert len(written) >= 10
    assert written <= {rule.id for rule in OWN}


def test_every_tool_of_a_deep_check_has_its_rule() -> None:
    names = set()
    for package in CATEGORIES.values():
        for path in package.folder.glob("*.py") if package.deep_tool else ():
            names |= set(re.findall(r'(?:rule|RULE) = "([a-z-]+)"$', path.read_text(), re.M))
    assert names and names <= {rule.id for rule in TOOLS}


@pytest.mark.parametrize("name", DOWNLOAD)
def test_a_policy_counts_where_the_category_has_it(name: str) -> None:
    request = VerifyRequest(text=DOWNLOAD[name], category=name, format="file")
    informed = score(request)
    assert informed.verdict is Outcome.PASS, informed.findings
    counted = score(request.model_copy(update={"policies": ("pipe-to-shell", "insecure-tls")}))
    assert (counted.verdict, counted.rungs["policy"]) == (Outcome.FAIL, "fail")
    assert "pipe-to-shell" in {finding.rule for finding in counted.findings}


def test_a_policy_that_the_category_does_not_have_changes_nothing() -> None:
    request = VerifyRequest(text="services:\n  web:\n    image: nginx:1.27\n", category="compose")
    listed = request.model_copy(update={"policies": ("iam-wildcard",)})
    assert score(listed) == score(request)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("pipe-to-shel", ("no category has", "did you mean 'pipe-to-shell'?", "unpinned")),
        ("zzzz", ("no category has", "There are:", "plain-secret")),
        ("syntax", ("is no policy rule: it counts always", "There are:")),
    ],
)
def test_a_policy_that_no_category_has_is_refused(policy: str, words: tuple[str, ...]) -> None:
    request = VerifyRequest(text="a", category="compose", policies=("unpinned", policy))
    with Verifier(1) as verifier, pytest.raises(DataError) as refused:
        verifier.verify(request)
    assert refused.value.param == "policies.1"
    assert all(word in str(refused.value) for word in ("policies.1", *words))
    validate_policies(("unpinned",))


def test_sarif_describes_a_rule_once_for_all_categories() -> None:
    verdicts = [
        score(VerifyRequest(text=text, category=name, format="file", id=name))
        for name, text in DOWNLOAD.items()
    ]
    verdicts.append(score(VerifyRequest(text="a\0", id="zero")))
    driver = sarif(verdicts)["runs"][0]["tool"]["driver"]
    described = {rule["id"]: rule for rule in driver["rules"]}
    assert len(described) == len(driver["rules"])
    pipe = described["pipe-to-shell"]
    assert pipe["shortDescription"] == {"text": "No download is piped into a shell"}
    assert pipe["helpUri"].startswith("https://")
    assert all(f"{name}: https://" in pipe["help"]["text"] for name in DOWNLOAD)
    assert pipe["defaultConfiguration"] == {"level": "warning"}
    assert "helpUri" not in described["guard-nul"] and described["guard-nul"]["help"]["text"]


def test_an_alternative_of_the_values_own_type_says_what_is_wrong() -> None:
    rules = FieldRules(*(Rule(name, "schema", name, "https://x") for name in ("u", "m", "t", "v")))
    nullable = {"anyOf": [{"type": "object", "required": ["x"]}, {"type": "null"}]}
    several = {"oneOf": [{"type": "integer"}, {"type": "null"}]}
    closed = {"additionalProperties": False}
    for schema, value, name in (
        (nullable, {}, "m"),
        (nullable, 5, "t"),
        (several, "a", "t"),
        (closed, {"a": 1}, "u"),
        ({"enum": [1]}, 2, "v"),
    ):
        (error,) = jsonschema_rs.validator_for(schema).iter_errors(value)
        assert rules.of_error(error).id == name
    assert set(KEYWORDS.values()) <= set(FieldRules.__slots__)


@pytest.mark.parametrize(
    ("command", "is_piped"),
    [
        ("curl -s https://x.example.com/a.sh | sh", True),
        ("curl 'https://x.example.com/?a=1&b=2' | sudo bash -s", True),
        ("wget -qO- x \\\n  | bash", True),
        ("curl x | tee log | sh", True),
        ("curl -o a x && cat b | sh", False),
        ("curl x || echo no | sh", False),
        ("curl x; make | sh", False),
        ("curl x\nmake | sh", False),
        ("curl x | shasum -a 256", False),
        ("curl x -o y", False),
    ],
)
def test_a_download_that_goes_into_a_shell(command: str, is_piped: bool) -> None:
    assert downloads_to_shell(command) is is_piped


@pytest.mark.parametrize(
    ("image", "unpinned"),
    [
        ("nginx", True),
        ("nginx:latest", True),
        ("registry:5000/nginx", True),
        ("nginx:1.29", False),
        ("registry:5000/nginx:1.29", False),
        ("nginx:latest@sha256:0123", False),
    ],
)
def test_an_image_is_pinned_by_a_tag_or_a_digest(image: str, unpinned: bool) -> None:
    assert is_unpinned(image) is unpinned


def test_names_of_secrets() -> None:
    fields = ("password", "db_password", "AuthToken", "apiKey", "secret_key")
    assert all(map(is_secret_field, fields))
    assert not any(map(is_secret_field, ("token_type", "secretName", "bypass", "keys")))
    assert is_secret_variable("DB_PASSWORD_OLD") and not is_secret_variable("DB_USER")
