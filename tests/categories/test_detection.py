"""Every good example against every category's `detect`, with its file's name and without."""

from pathlib import Path

import pytest

from inframind.categories import CATEGORIES, category, detect
from inframind.categories.base import Evidence

GOOD = [
    pytest.param(name, path, id=f"{name}-{path.name}")
    for name, package in CATEGORIES.items()
    for path in package.examples("good")
]
POD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n"
TIES = {
    "kserve.yaml": {"kubernetes", "mlops"},
    "pipeline.yaml": {"kubernetes", "mlops"},
    "ray.yaml": {"kubernetes", "mlops"},
    "training.yaml": {"kubernetes", "mlops"},
    "vault.yaml": {"ansible", "helm"},
}
"""Good examples in which several categories see the strongest evidence: the order decides."""


@pytest.mark.parametrize(("name", "path"), GOOD)
def test_a_good_example_is_told_apart(name: str, path: Path) -> None:
    text = path.read_text()
    assert detect(text, path.name) == name
    assert detect(text, None) == name, "its content is enough"
    evidence = {other: category(other).detect(text, None) for other in CATEGORIES}
    strongest = {other for other in CATEGORIES if evidence[other] is max(evidence.values())}
    assert strongest == TIES.get(path.name, {name})


@pytest.mark.parametrize("name", CATEGORIES)
def test_evidence_is_of_the_category_itself(name: str) -> None:
    """No category answers for a text with nothing in it, and a category's own file name misleads
    none.
    """
    for text in ("", "hello\n", "[]\n", "{}\n"):
        assert category(name).detect(text, None) is Evidence.NONE
    assert detect(POD, "pod.yaml") == "kubernetes"


@pytest.mark.parametrize(
    ("text", "filename", "name"),
    [
        ("image:\n  tag: 1\n", "charts/web/values.yaml", "helm"),
        ("image:\n  tag: 1\n", "web.yaml", None),
        ("- name: Restart\n  service: {name: a}\n", "roles/a/handlers/main.yml", "ansible"),
        ("- name: Restart\n  service: {name: a}\n", None, None),
        ("FROM --platform=$BUILDPLATFORM golang:1.26 AS build\n", None, "dockerfile"),
        ("RUN make\n", "Dockerfile.dev", "dockerfile"),
        ("buildPlugin()\n", "Jenkinsfile", "jenkins"),
        ("podTemplate(yaml: '''\n" + POD + "''') {\n}\n", None, "jenkins"),
        ("include:\n  - local: a.yml\n", ".gitlab-ci.yml", "gitlab-ci"),
        ("locals {\n  pod = <<EOT\n" + POD + "EOT\n}\n", None, "terraform"),
        ("apiVersion: argoproj.io/v1alpha1\nkind: Application\n", None, "kubernetes"),
        ("kind: CronWorkflow\napiVersion: argoproj.io/v1alpha1\n", None, "mlops"),
        ("apiVersion: 1\ngroups:\n  - rules:\n      - alert: A\n", None, "grafana"),
        ("groups:\n  - rules:\n      - alert: A\n", None, "prometheus"),
        ("trigger:\n  - main\nsteps:\n  - script: make\n", None, None),
        ("pipelines:\n  default:\n    - step:\n        script:\n          - make\n", None, None),
        ("services:\n  - docker:27\nbuild:\n  script: make\n", None, "gitlab-ci"),
        ("services:\n  script:\n    image: a:1\n", None, "compose"),
        ("data:\n  script: make\n" + POD, None, "kubernetes"),
    ],
)
def test_look_alikes(text: str, filename: str | None, name: str | None) -> None:
    assert detect(text, filename) == name
