"""The hosted CI: it runs what a contributor runs, and our own verifier has nothing to say of it."""

import re
from pathlib import Path

from inframind import Outcome, VerifyRequest
from inframind.categories import category
from inframind.verifier.ladder import score

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"


def test_the_verifier_passes_it_with_every_policy() -> None:
    policies = [rule.id for rule in category("github-actions").rules if rule.rung == "policy"]
    verdict = score(
        VerifyRequest(
            text=WORKFLOW.read_text(),
            filename=str(WORKFLOW.relative_to(ROOT)),
            format="file",
            policies=tuple(policies),
        )
    )
    assert policies and verdict.category == "github-actions"
    assert verdict.verdict is Outcome.PASS and not verdict.findings, verdict.findings


def test_it_runs_what_contributors_run() -> None:
    assert "run: .ci/run\n" in WORKFLOW.read_text()


def test_every_action_is_pinned_by_its_commit() -> None:
    uses = re.findall(r"uses: (.+)", WORKFLOW.read_text())
    assert uses
    assert [
        line for line in uses if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", line)
    ] == []
