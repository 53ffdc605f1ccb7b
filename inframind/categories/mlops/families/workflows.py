"""Task families for Argo Workflows, which run Kubeflow's pipelines."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, contains, equals, identity
from inframind.categories.mlops.families.base import family
from inframind.types import Check

IMAGES = ("python:3.12-slim", "pytorch/pytorch:2.5.1", "tensorflow/tensorflow:2.18.0")
API = "apiVersion: argoproj.io/v1alpha1\n"


def container(name: str, image: str, script: str, indent: int) -> str:
    """A template that runs one script."""
    space = " " * indent
    return f"{space}- name: {name}\n{space}  container:\n{space}    image: {image}\n{space}    command: [python, {script}.py]\n"


@family("workflow-dag", difficulty=3)
def workflow_dag(draw: Draw) -> Draft:
    name, first, second, image = draw.name(), draw.name(), draw.name(), draw.choice(IMAGES)
    before, after = draw.identifier(), draw.identifier()
    dag = (
        "    - name: main\n      dag:\n        tasks:\n"
        f"          - name: {first}\n            template: {first}\n"
        f"          - name: {second}\n            template: {second}\n            dependencies: [{first}]\n"
    )
    head = (
        f"{API}kind: Workflow\nmetadata:\n  name: {name}\nspec:\n  entrypoint: main\n  templates:\n"
    )
    steps = [container(first, image, before, 4), container(second, image, after, 4)]
    answer = head + dag + "".join(steps)
    tasks = "spec.templates[].dag.tasks[]"
    return Draft(
        wordings=(
            f"Write an Argo Workflow {name}: the DAG task {first} runs {before}.py, then {second} runs {after}.py, both with python in {image}.",
            f"argo workflow {name}, {image}: {first} (python {before}.py) -> {second} (python {after}.py) as a dag",
            f"A pipeline of two steps for Argo: {second} (python {after}.py) depends on {first} (python {before}.py); image {image}; call it {name}.",
        ),
        answer=answer,
        reasoning=(
            f"Workflow {name}, entrypoint main",
            f"{second} depends on {first}",
            f"templates of {image}",
        ),
        checks=(
            identity("Workflow", name),
            contains("Workflow", name, tasks, {"name": first}),
            contains("Workflow", name, tasks, {"name": second, "dependencies": [first]}),
            contains(
                "Workflow",
                name,
                "spec.templates[?container].container",
                {"image": image, "command": ["python", f"{before}.py"]},
            ),
            contains(
                "Workflow",
                name,
                "spec.templates[?container].container",
                {"image": image, "command": ["python", f"{after}.py"]},
            ),
        ),
        variant=head + "".join(reversed(steps)) + dag,
        habits=(
            (f"            dependencies: [{first}]\n", ""),
            ("entrypoint: main", "entrypoint: start"),
        ),
    )


@family("cron-workflow", difficulty=2)
def cron_workflow(draw: Draw) -> Draft:
    name, step, image, script = draw.name(), draw.name(), draw.choice(IMAGES), draw.identifier()
    schedule = draw.choice(("0 3 * * *", "30 1 * * 0", "15 */6 * * *", "0 4 1 * *"))
    head = f"{API}kind: CronWorkflow\nmetadata:\n  name: {name}\nspec:\n"
    spec = f"  workflowSpec:\n    entrypoint: {step}\n    templates:\n" + container(
        step, image, script, 6
    )
    answer = f'{head}  schedule: "{schedule}"\n{spec}'
    return Draft(
        wordings=(
            f'Write an Argo CronWorkflow {name} with the schedule "{schedule}" whose template {step} runs python {script}.py in {image}.',
            f"cronworkflow {name}: {schedule}, template {step}, {image}, python {script}.py",
            f"Retrain by cron ({schedule}): the CronWorkflow {name} enters at {step}, which is {image} with python {script}.py.",
        ),
        answer=answer,
        reasoning=(
            f"CronWorkflow {name}, schedule {schedule}",
            f"entrypoint {step}: python {script}.py",
        ),
        checks=(
            identity("CronWorkflow", name),
            Check(
                op="any_of",
                id="schedule",
                checks=(
                    equals("CronWorkflow", name, "spec.schedule", schedule),
                    contains("CronWorkflow", name, "spec.schedules", schedule),
                ),
            ),
            equals("CronWorkflow", name, "spec.workflowSpec.entrypoint", step),
            contains("CronWorkflow", name, "spec.workflowSpec.templates[].container.image", image),
            contains(
                "CronWorkflow",
                name,
                "spec.workflowSpec.templates[].container.command[]",
                f"{script}.py",
            ),
        ),
        variant=f'{head}  schedules:\n    - "{schedule}"\n{spec}',
        habits=(("  workflowSpec:", "  jobTemplate:"), ("schedule:", "cron:")),
    )
