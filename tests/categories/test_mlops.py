"""MLOps: what never runs earns nothing, foreign resources are said to be foreign, placeholders of
pipelines stay open."""

import json

import pytest

from inframind.types import Check, Outcome, Verdict, VerifyRequest
from inframind.verifier.ladder import score
from tests.support import ROOT

GOOD = ROOT / "inframind" / "categories" / "mlops" / "good"


def judge(text: str, *checks: Check) -> Verdict:
    return score(VerifyRequest(text=text, category="mlops", format="file", checks=checks))


def there(kind: str) -> Check:
    return Check(op="exists", kind=kind, gate=True)


@pytest.mark.parametrize(
    ("file", "old", "new", "kind"),
    [
        (
            "training.yaml",
            "  pytorchReplicaSpecs:",
            "  runPolicy:\n    suspend: true\n  pytorchReplicaSpecs:",
            "PyTorchJob",
        ),
        ("training.yaml", "  runtimeRef:", "  suspend: true\n  runtimeRef:", "TrainJob"),
        ("ray.yaml", "  entrypoint:", "  suspend: true\n  entrypoint:", "RayJob"),
        (
            "kserve.yaml",
            "  name: churn-model",
            '  name: churn-model\n  annotations:\n    serving.kserve.io/stop: "true"',
            "InferenceService",
        ),
    ],
)
def test_what_never_runs_is_not_there(file: str, old: str, new: str, kind: str) -> None:
    text = (GOOD / file).read_text()
    assert judge(text, there(kind)).verdict is Outcome.PASS
    assert old in text
    assert judge(text.replace(old, new, 1), there(kind)).score <= 0.2


def test_a_task_that_never_runs_is_not_there() -> None:
    text = (GOOD / "pipeline.yaml").read_text()
    task = Check(
        op="contains", kind="Workflow", path="spec.templates[].dag.tasks[].name", value="train"
    )
    assert judge(text, task).verdict is Outcome.PASS
    assert (
        judge(
            text.replace("- name: train\n", "- name: train\n            when: 'false'\n"), task
        ).score
        <= 0.2
    )


def test_a_resource_of_another_project_is_unsupported() -> None:
    text = (
        GOOD / "ray.yaml"
    ).read_text() + "---\napiVersion: example.com/v1\nkind: Model\nmetadata:\n  name: a\n"
    assert judge(text).rungs["schema"] == "unsupported"


def test_kubernetes_objects_beside_are_checked() -> None:
    text = (
        GOOD / "ray.yaml"
    ).read_text() + "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: a\nspec:\n  port: 1\n"
    assert judge(text).rungs["schema"] == "fail"


def test_a_placeholder_stands_for_any_value() -> None:
    data = json.loads((GOOD / "pipeline.json").read_text())
    data["Steps"][0]["Arguments"]["OutputDataConfig"]["S3OutputPath"] = {
        "Std:Join": {"On": "/", "Values": ["s3:/", "a"]}
    }
    assert judge(json.dumps(data)).verdict is Outcome.PASS
    data["Steps"][0]["Arguments"]["OutputDataConfig"]["S3OutputPath"] = 5
    assert judge(json.dumps(data)).verdict is Outcome.FAIL
