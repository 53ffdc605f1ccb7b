"""References beyond the schema: stages, needs, extends, `!reference`, parts of an include."""

from collections.abc import Iterator

from inframind.categories.base import Rule
from inframind.categories.gitlab_ci import rules
from inframind.categories.gitlab_ci.jobs import WORK
from inframind.categories.gitlab_ci.long_forms import long_needs, named
from inframind.categories.gitlab_ci.pipeline import Pipeline
from inframind.categories.shared.values import cycle
from inframind.types import Finding

RULES = {
    "cycle": rules.CYCLE,
    "extends": rules.EXTENDS,
    "reference": rules.REFERENCE,
    "input": rules.INPUT,
}


def findings(pipeline: Pipeline) -> Iterator[Finding]:
    """Check the references within a pipeline, those that could not be resolved included."""
    names = list(pipeline.jobs)
    for problem in dict.fromkeys(pipeline.problems):
        rule = rules.INCLUDED if problem.foreign else RULES[problem.kind]
        yield rule.finding(problem.message, pipeline.line(problem.job))
    for name in names:
        yield from job_findings(pipeline, name)
    circle = job_cycle(pipeline)
    if circle:
        yield rules.CYCLE.finding(f"needs goes in a circle: {' -> '.join(circle)}")


def job_findings(pipeline: Pipeline, name: str) -> Iterator[Finding]:
    """Check the stage, needs, dependencies and on_stop of one job."""
    job, line = pipeline.jobs[name], pipeline.line(name)
    if (
        pipeline.includes
        and not any(key in job for key in WORK)
        and not pipeline.is_incomplete(name)
    ):
        yield rules.INCLUDED.finding(f"job {name} has no script here: an include may hold it", line)
    stage = pipeline.stage(name)
    if stage not in pipeline.stages and "$[[" not in stage:
        foreign = pipeline.includes and "stages" not in pipeline.fields
        message = f"job {name}: the stage {stage!r} is not one of {', '.join(pipeline.stages)}"
        yield (rules.INCLUDED if foreign else rules.STAGE).finding(message, line)
    needs = {
        str(need["job"]): bool(need.get("optional"))
        for need in long_needs(job)
        # Jobs of other projects and pipelines are not in the text.
        if "job" in need and not {"project", "pipeline"} & set(need)
    }
    for other, optional in needs.items():
        yield from needed(pipeline, name, other, rules.NEEDS, optional=optional)
    for other in map(str, job.get("dependencies") or ()):
        yield from needed(pipeline, name, other, rules.DEPENDENCIES, optional=False)
        if "needs" in job and other not in needs:
            yield rules.DEPENDENCIES.finding(
                f"job {name}: {other!r} of dependencies should be part of needs", line
            )
    yield from on_stop(pipeline, name)


def needed(
    pipeline: Pipeline, name: str, other: str, rule: Rule, *, optional: bool
) -> Iterator[Finding]:
    """Check one job that another waits for: there, of no later stage, and in some pipeline."""
    line, what = pipeline.line(name, rule.id), f"job {name}: {rule.id} names {other!r}"
    if other not in pipeline.jobs:
        if not optional and "$[[" not in other:
            yield (rules.INCLUDED if pipeline.includes else rule).finding(
                f"{what}, which is not a job", line
            )
        return
    mine, theirs = pipeline.stage(name), pipeline.stage(other)
    order = {stage: index for index, stage in enumerate(pipeline.stages)}
    # The same stage is allowed since GitLab 14.2.
    if mine in order and theirs in order and order[theirs] > order[mine]:
        yield rule.finding(f"{what} of the later stage {theirs!r}", line)
    if (
        name in pipeline.running
        and other not in pipeline.running
        and not optional
        and rule is rules.NEEDS
    ):
        yield rule.finding(f"{what}, which no pipeline ever has", line)


def on_stop(pipeline: Pipeline, name: str) -> Iterator[Finding]:
    """Check that the job which stops an environment is there and says that it stops it."""
    environment = named(pipeline.jobs[name].get("environment")) or {}
    stop = environment.get("on_stop")
    if not stop or "$" in str(stop):
        return
    line = pipeline.line(name, "environment", "on_stop")
    if str(stop) not in pipeline.jobs:
        rule = rules.INCLUDED if pipeline.includes else rules.ON_STOP
        yield rule.finding(f"job {name}: on_stop names {stop!r}, which is not a job", line)
        return
    other = named(pipeline.jobs[str(stop)].get("environment")) or {}
    if other.get("action") != "stop" or other.get("name") != environment.get("name"):
        yield rules.ON_STOP.finding(
            f"job {stop} does not stop the environment of {name}: action stop, the same name", line
        )


def job_cycle(pipeline: Pipeline) -> list[str] | None:
    """Find jobs that need one another: the circle with its first one last again, or None."""
    waits = {
        name: [str(need["job"]) for need in long_needs(job) if "job" in need]
        for name, job in pipeline.jobs.items()
    }
    return cycle(waits)
