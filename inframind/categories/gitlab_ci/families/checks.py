"""Checks that several families of GitLab CI ask for."""

from inframind.bench.family import contains, equals
from inframind.types import Check

DEFAULT_BRANCH = "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"
MERGE_REQUEST = '$CI_PIPELINE_SOURCE == "merge_request_event"'
LOGIN = 'echo "$CI_REGISTRY_PASSWORD" | docker login -u "$CI_REGISTRY_USER" --password-stdin "$CI_REGISTRY"'


def runs(job: str, command: str) -> Check:
    """The job's script has the command as a line of its own."""
    return contains("job", job, "script", command)


def in_stage(job: str, stage: str) -> Check:
    """The job stands in the stage."""
    return equals("job", job, "stage", stage)


def on_image(job: str, image: str) -> Check:
    """The job runs in the image."""
    return equals("job", job, "image.name", image)


def on_branch(job: str, branch: str) -> Check:
    """The job is for pushes to the branch, by `rules` or by `only`."""
    condition = rf"""\s*\$CI_COMMIT_(BRANCH|REF_NAME)\s*==\s*["']{branch}["']\s*"""
    rule = Check(op="matches", kind="job", name=job, path="rules[0].if", value=condition)
    return Check(
        op="any_of",
        id=f"{job} on {branch}",
        checks=(rule, equals("job", job, "only.refs", [branch])),
    )


def on_default_branch(job: str) -> Check:
    """The job is for the default branch."""
    condition = r"\s*\$CI_COMMIT_(BRANCH|REF_NAME)\s*==\s*\$CI_DEFAULT_BRANCH\s*"
    return Check(
        op="matches",
        id=f"{job} on the default branch",
        kind="job",
        name=job,
        path="rules[0].if",
        value=condition,
    )


def by_hand(job: str) -> Check:
    """Somebody starts the job."""
    ways = (equals("job", job, "when", "manual"), equals("job", job, "rules[0].when", "manual"))
    return Check(op="any_of", id=f"{job} by hand", checks=ways)


def keeps(job: str, folder: str) -> Check:
    """The folder is the job's first artifact."""
    return Check(
        op="matches",
        id=f"keeps {folder}",
        kind="job",
        name=job,
        path="artifacts.paths[0]",
        value=rf"{folder}(/|/\*|/\*\*)?",
    )


def keeps_days(job: str, days: int) -> Check:
    """The artifacts expire after so many days."""
    weeks = rf"|{days // 7} ?(w|week|weeks)" if days % 7 == 0 else ""
    value = rf"{days} ?(d|day|days){weeks}"
    return Check(
        op="matches",
        id=f"{days} days",
        kind="job",
        name=job,
        path="artifacts.expire_in",
        value=value,
    )
