"""Task families for GitHub Actions workflows."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, contains, equals, exists, identity, references
from inframind.types import Check

FAMILIES = Families("github-actions")
family = FAMILIES.family

RUNNERS = ("ubuntu-latest", "ubuntu-24.04", "ubuntu-22.04", "windows-latest", "macos-latest")
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
SCHEDULES = ("0 * * * *", "0 2 * * *", "30 4 * * 0", "0 0 1 * *", "15 6 * * 1")
CHECKOUT = "      - uses: actions/checkout@v4\n"
OLD_CHECKOUT = ("actions/checkout@v4", "actions/checkout@v1")
OLD_RUNNER_KEY = ("runs-on:", "runs_on:")


def on_push(branch: str) -> str:
    """The trigger of most families."""
    return f"on:\n  push:\n    branches: [{branch}]\n"


def checks_out(job: str) -> Check:
    """The job has a step with actions/checkout of version 4."""
    return Check(
        op="exists",
        id="checkout",
        kind="step",
        where={"job": job, "action": "actions/checkout", "version": "v4"},
    )


def runs(job: str, command: str) -> Check:
    """The job has a step that runs the command."""
    return Check(op="exists", id=f"run {command}", kind="step", where={"job": job, "run": command})


@family("run-command", difficulty=1)
def run_command(draw: Draw) -> Draft:
    name, branch, job = draw.name(), draw.name(), draw.word()
    runner, command = draw.choice(RUNNERS), f"make {draw.word()}"
    answer = f"name: {name}\n{on_push(branch)}jobs:\n  {job}:\n    runs-on: {runner}\n    steps:\n{CHECKOUT}      - run: {command}\n"
    return Draft(
        wordings=(
            f"Write a GitHub Actions workflow {name} for pushes to {branch}: the job {job} on {runner} checks out (v4) and runs {command}.",
            f"workflow {name}, push to {branch}, job {job} on {runner}: checkout@v4, then {command}",
            f"On each push to {branch}, run {command} in a job {job} on {runner}, after actions/checkout v4. The workflow is called {name}.",
        ),
        answer=answer,
        reasoning=(
            f"workflow {name} on push to {branch}",
            f"job {job} on {runner}: checkout, {command}",
        ),
        checks=(
            identity("workflow", name),
            contains("workflow", name, "on.push.branches", branch),
            contains("job", job, '"runs-on"', runner),
            checks_out(job),
            runs(job, command),
        ),
        variant=answer.replace(f"[{branch}]", f"\n      - {branch}").replace(
            "      - run:", "      - name: Run it\n        run:"
        ),
        habits=(OLD_CHECKOUT, OLD_RUNNER_KEY, (CHECKOUT, "")),
    )


@family("setup-python", difficulty=2)
def setup_python(draw: Draw) -> Draft:
    name, branch, version = draw.name(), draw.name(), draw.choice(PYTHONS)
    tool = draw.choice(("pytest", "tox", "nox"))
    answer = (
        f"name: {name}\n{on_push(branch)}jobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n{CHECKOUT}"
        f'      - uses: actions/setup-python@v5\n        with:\n          python-version: "{version}"\n      - run: {tool}\n'
    )
    return Draft(
        wordings=(
            f"Write a workflow {name} for pushes to {branch}: a job test on ubuntu-latest with checkout v4, setup-python v5 for Python {version}, then {tool}.",
            f"workflow {name}, push {branch}, job test: checkout@v4, setup-python@v5 {version}, run {tool}",
            f"Test our code with {tool} on Python {version} when {branch} is pushed. Job test, checkout v4, setup-python v5; name it {name}.",
        ),
        answer=answer,
        reasoning=(
            f"workflow {name} on push to {branch}",
            f"job test: checkout, Python {version}, {tool}",
        ),
        checks=(
            identity("workflow", name),
            contains("workflow", name, "on.push.branches", branch),
            checks_out("test"),
            Check(
                op="exists",
                id="python",
                kind="step",
                where={
                    "job": "test",
                    "action": "actions/setup-python",
                    '"with"."python-version"': version,
                },
            ),
            runs("test", tool),
        ),
        habits=(
            (f'python-version: "{version}"', f"python_version: {version}"),
            OLD_CHECKOUT,
            ("        with:\n  ", ""),
        ),
    )


@family("schedule", difficulty=1)
def schedule(draw: Draw) -> Draft:
    name, cron, job, command = (
        draw.name(),
        draw.choice(SCHEDULES),
        draw.word(),
        f"./{draw.identifier()}.sh",
    )
    answer = (
        f'name: {name}\non:\n  schedule:\n    - cron: "{cron}"\njobs:\n  {job}:\n    runs-on: ubuntu-latest\n    steps:\n'
        f"{CHECKOUT}      - run: {command}\n"
    )
    return Draft(
        wordings=(
            f'Write a workflow {name} on the schedule "{cron}": the job {job} on ubuntu-latest checks out (v4) and runs {command}.',
            f"workflow {name}, cron {cron}, job {job}: checkout@v4, {command}",
            f"By cron ({cron}), check out with v4 and run {command} in the job {job} on ubuntu-latest. Name of the workflow: {name}.",
        ),
        answer=answer,
        reasoning=(f"workflow {name}, cron {cron}", f"job {job}: checkout, {command}"),
        checks=(
            identity("workflow", name),
            equals("workflow", name, "on.schedule[0].cron", cron),
            checks_out(job),
            runs(job, command),
        ),
        habits=((f'    - cron: "{cron}"', f'    cron: "{cron}"'), OLD_CHECKOUT, OLD_RUNNER_KEY),
    )


@family("needs", difficulty=2)
def needs(draw: Draw) -> Draft:
    name, branch = draw.name(), draw.name()
    first, second = draw.word(), draw.word()
    answer = (
        f"name: {name}\n{on_push(branch)}jobs:\n  {first}:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make {first}\n"
        f"  {second}:\n    needs: {first}\n    runs-on: ubuntu-latest\n    steps:\n      - run: make {second}\n"
    )
    return Draft(
        wordings=(
            f"Write a workflow {name} for pushes to {branch} with the jobs {first} (make {first}) and {second} (make {second}) on ubuntu-latest; {second} needs {first}.",
            f"workflow {name}, push {branch}, ubuntu-latest: {first} (make {first}) then {second} (make {second}) by needs",
            f"Two jobs on ubuntu-latest for pushes to {branch}: {first} runs make {first}; after it {second} runs make {second}. Workflow {name}.",
        ),
        answer=answer,
        reasoning=(f"workflow {name} on push to {branch}", f"{second} needs {first}"),
        checks=(
            identity("workflow", name),
            contains("workflow", name, "on.push.branches", branch),
            runs(first, f"make {first}"),
            runs(second, f"make {second}"),
            references("job", second, "needs", "job", first),
        ),
        habits=(("    needs:", "    depends_on:"), ("runs-on:", "runs_on:")),
    )


@family("environment", difficulty=1)
def environment(draw: Draw) -> Draft:
    name, branch, key, value = (
        draw.name(),
        draw.name(),
        draw.choice(("MODE", "REGION", "TIER", "STAGE")),
        draw.word(),
    )
    answer = (
        f"name: {name}\n{on_push(branch)}env:\n  {key}: {value}\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n"
        f"{CHECKOUT}      - run: make\n"
    )
    return Draft(
        wordings=(
            f"Write a workflow {name} for pushes to {branch} with {key}={value} for all jobs; the job build checks out (v4) and runs make.",
            f"workflow {name}, push {branch}, env {key}={value}, job build: checkout@v4, make",
            f"When {branch} is pushed, the job build checks out with v4 and runs make. {key} is {value} in the whole workflow {name}.",
        ),
        answer=answer,
        reasoning=(
            f"workflow {name} on push to {branch}",
            f"env {key}: {value}, job build runs make",
        ),
        checks=(
            identity("workflow", name),
            contains("workflow", name, "on.push.branches", branch),
            equals("workflow", name, f"env.{key}", value),
            checks_out("build"),
            runs("build", "make"),
        ),
        habits=(("env:\n", "environment:\n"), OLD_CHECKOUT, OLD_RUNNER_KEY),
    )


@family("permissions", difficulty=2)
def permissions(draw: Draw) -> Draft:
    name, branch, scope = (
        draw.name(),
        draw.name(),
        draw.choice(("packages", "pages", "issues", "deployments")),
    )
    answer = (
        f"name: {name}\n{on_push(branch)}permissions:\n  contents: read\n  {scope}: write\njobs:\n  publish:\n"
        f"    runs-on: ubuntu-latest\n    steps:\n{CHECKOUT}      - run: make publish\n"
    )
    return Draft(
        wordings=(
            f"Write a workflow {name} for pushes to {branch} that may read contents and write {scope}; the job publish checks out (v4) and runs make publish.",
            f"workflow {name}, push {branch}, permissions contents read + {scope} write, job publish: checkout@v4, make publish",
            f"The job publish of {name} checks out with v4 and runs make publish when {branch} is pushed. Its token reads contents and writes {scope}, no more.",
        ),
        answer=answer,
        reasoning=(
            f"workflow {name} on push to {branch}",
            f"contents read, {scope} write, job publish",
        ),
        checks=(
            identity("workflow", name),
            contains("workflow", name, "on.push.branches", branch),
            equals("workflow", name, "permissions", {"contents": "read", scope: "write"}),
            checks_out("publish"),
            runs("publish", "make publish"),
        ),
        habits=(
            (f"permissions:\n  contents: read\n  {scope}: write\n", "permissions: write-all\n"),
            OLD_CHECKOUT,
        ),
    )


@family("dispatch", difficulty=1)
def dispatch(draw: Draw) -> Draft:
    name, job, runner, command = (
        draw.name(),
        draw.word(),
        draw.choice(RUNNERS),
        f"make {draw.word()}",
    )
    answer = (
        f"name: {name}\non:\n  workflow_dispatch: {{}}\njobs:\n  {job}:\n    runs-on: {runner}\n    steps:\n{CHECKOUT}"
        f"      - run: {command}\n"
    )
    return Draft(
        wordings=(
            f"Write a workflow {name} that is started by hand: the job {job} on {runner} checks out (v4) and runs {command}.",
            f"workflow {name}, workflow_dispatch, job {job} on {runner}: checkout@v4, {command}",
            f"{name} runs only when somebody starts it (workflow_dispatch). Its job {job} on {runner}: checkout v4, then {command}.",
        ),
        answer=answer,
        reasoning=(
            f"workflow {name} on workflow_dispatch",
            f"job {job} on {runner}: checkout, {command}",
        ),
        checks=(
            identity("workflow", name),
            exists("workflow", name, "contains(keys(on), 'workflow_dispatch') && `1` || null"),
            contains("job", job, '"runs-on"', runner),
            checks_out(job),
            runs(job, command),
        ),
        variant=answer.replace("on:\n  workflow_dispatch: {}\n", "on: workflow_dispatch\n"),
        habits=(("workflow_dispatch: {}", "manual: {}"), OLD_CHECKOUT, OLD_RUNNER_KEY),
    )


@family("pull-request", difficulty=1)
def pull_request(draw: Draw) -> Draft:
    name, branch, job, command = draw.name(), draw.name(), draw.word(), f"make {draw.word()}"
    answer = (
        f"name: {name}\non:\n  pull_request:\n    branches: [{branch}]\njobs:\n  {job}:\n    runs-on: ubuntu-latest\n    steps:\n"
        f"{CHECKOUT}      - run: {command}\n"
    )
    return Draft(
        wordings=(
            f"Write a workflow {name} for pull requests to {branch}: the job {job} on ubuntu-latest checks out (v4) and runs {command}.",
            f"workflow {name}, pull_request to {branch}, job {job}: checkout@v4, {command}",
            f"Every pull request against {branch} shall be checked by {command}, in the job {job} on ubuntu-latest after checkout v4. Workflow {name}.",
        ),
        answer=answer,
        reasoning=(
            f"workflow {name} on pull_request to {branch}",
            f"job {job}: checkout, {command}",
        ),
        checks=(
            identity("workflow", name),
            contains("workflow", name, "on.pull_request.branches", branch),
            checks_out(job),
            runs(job, command),
        ),
        habits=(("pull_request:", "pull_requests:"), OLD_CHECKOUT, OLD_RUNNER_KEY),
    )


@family("matrix", difficulty=2)
def matrix(draw: Draw) -> Draft:
    name, branch = draw.name(), draw.name()
    low = draw.integer(0, len(PYTHONS) - 2)
    versions = list(PYTHONS[low : low + 2])
    listed = ", ".join(f'"{version}"' for version in versions)
    answer = (
        f"name: {name}\n{on_push(branch)}jobs:\n  test:\n    runs-on: ubuntu-latest\n    strategy:\n      matrix:\n"
        f"        python: [{listed}]\n    steps:\n{CHECKOUT}      - uses: actions/setup-python@v5\n        with:\n"
        "          python-version: ${{ matrix.python }}\n      - run: pytest\n"
    )
    both = " and ".join(versions)
    return Draft(
        wordings=(
            f"Write a workflow {name} for pushes to {branch}: the job test runs pytest on a matrix python of {both}, with checkout v4 and setup-python v5.",
            f"workflow {name}, push {branch}, job test, matrix python {both}: checkout@v4, setup-python@v5, pytest",
            f"Run pytest on Python {both} when {branch} is pushed: job test, matrix key python, checkout v4, setup-python v5. Call the workflow {name}.",
        ),
        answer=answer,
        reasoning=(
            f"workflow {name} on push to {branch}",
            f"matrix python {both}, setup-python, pytest",
        ),
        checks=(
            identity("workflow", name),
            contains("workflow", name, "on.push.branches", branch),
            equals("job", "test", "matrix.python", versions),
            checks_out("test"),
            Check(
                op="exists",
                id="setup",
                kind="step",
                where={"job": "test", "action": "actions/setup-python"},
            ),
            runs("test", "pytest"),
        ),
        habits=(
            (listed, ", ".join(versions)),
            ("    strategy:\n      matrix:\n        python", "    matrix:\n      python"),
            OLD_CHECKOUT,
        ),
    )


@family("timeout", difficulty=1)
def timeout(draw: Draw) -> Draft:
    name, branch, job, minutes = draw.name(), draw.name(), draw.word(), draw.number(11, 90)
    answer = (
        f"name: {name}\n{on_push(branch)}jobs:\n  {job}:\n    runs-on: ubuntu-latest\n    timeout-minutes: {minutes}\n    steps:\n"
        f"{CHECKOUT}      - run: make\n"
    )
    return Draft(
        wordings=(
            f"Write a workflow {name} for pushes to {branch}: the job {job} checks out (v4), runs make and may take {minutes} minutes.",
            f"workflow {name}, push {branch}, job {job}: checkout@v4, make, timeout {minutes} minutes",
            f"Stop the job {job} of the workflow {name} after {minutes} minutes. It checks out with v4 and runs make on pushes to {branch}.",
        ),
        answer=answer,
        reasoning=(
            f"workflow {name} on push to {branch}",
            f"job {job}, timeout-minutes {minutes}, make",
        ),
        checks=(
            identity("workflow", name),
            contains("workflow", name, "on.push.branches", branch),
            equals("job", job, '"timeout-minutes"', minutes),
            checks_out(job),
            runs(job, "make"),
        ),
        habits=(("timeout-minutes:", "timeout:"), OLD_CHECKOUT, OLD_RUNNER_KEY),
    )


@family("concurrency", difficulty=3)
def concurrency(draw: Draw) -> Draft:
    name, branch, group = draw.name(), draw.name(), draw.name()
    answer = (
        f"name: {name}\n{on_push(branch)}concurrency:\n  group: {group}\n  cancel-in-progress: true\njobs:\n  deploy:\n"
        f"    runs-on: ubuntu-latest\n    steps:\n{CHECKOUT}      - run: make deploy\n"
    )
    return Draft(
        wordings=(
            f"Write a workflow {name} for pushes to {branch} in the concurrency group {group}, cancelling runs in progress; the job deploy checks out (v4) and runs make deploy.",
            f"workflow {name}, push {branch}, concurrency {group} with cancel-in-progress, job deploy: checkout@v4, make deploy",
            f"Only one deploy at a time: {name} uses the concurrency group {group} and cancels older runs. On pushes to {branch}: checkout v4, make deploy.",
        ),
        answer=answer,
        reasoning=(f"workflow {name}, concurrency group {group}", "cancel-in-progress, job deploy"),
        checks=(
            identity("workflow", name),
            contains("workflow", name, "on.push.branches", branch),
            equals("workflow", name, "concurrency.group", group),
            equals("workflow", name, 'concurrency."cancel-in-progress"', True),
            checks_out("deploy"),
            runs("deploy", "make deploy"),
        ),
        habits=(OLD_CHECKOUT,),
    )


@family("tag-push", difficulty=1, held_out=True)
def tag_push(draw: Draw) -> Draft:
    name, job, prefix, command = draw.name(), draw.word(), draw.name(), f"make {draw.word()}"
    return Draft(
        wordings=(
            f"Write a workflow {name} for pushed tags {prefix}-*: the job {job} on ubuntu-latest checks out (v4) and runs {command}.",
            f"workflow {name}, push tags {prefix}-*, job {job}: checkout@v4, {command}",
            f"When a tag like {prefix}-* is pushed, the job {job} on ubuntu-latest checks out with v4 and runs {command}. Name: {name}.",
        ),
        answer=(
            f'name: {name}\non:\n  push:\n    tags: ["{prefix}-*"]\njobs:\n  {job}:\n    runs-on: ubuntu-latest\n    steps:\n'
            f"{CHECKOUT}      - run: {command}\n"
        ),
        reasoning=(f"workflow {name} on tags {prefix}-*", f"job {job}: checkout, {command}"),
        checks=(
            identity("workflow", name),
            contains("workflow", name, "on.push.tags", f"{prefix}-*"),
            checks_out(job),
            runs(job, command),
        ),
    )


@family("working-directory", difficulty=1, held_out=True)
def working_directory(draw: Draw) -> Draft:
    name, branch, job, folder = draw.name(), draw.name(), draw.word(), draw.word()
    return Draft(
        wordings=(
            f"Write a workflow {name} for pushes to {branch}: the job {job} checks out (v4) and runs make in the folder {folder}.",
            f"workflow {name}, push {branch}, job {job}: checkout@v4, make in working-directory {folder}",
            f"On pushes to {branch}, the job {job} of {name} checks out with v4 and calls make with the working-directory {folder}.",
        ),
        answer=(
            f"name: {name}\n{on_push(branch)}jobs:\n  {job}:\n    runs-on: ubuntu-latest\n    steps:\n{CHECKOUT}"
            f"      - run: make\n        working-directory: {folder}\n"
        ),
        reasoning=(f"workflow {name} on push to {branch}", f"job {job}: make in {folder}"),
        checks=(
            identity("workflow", name),
            contains("workflow", name, "on.push.branches", branch),
            checks_out(job),
            Check(
                op="exists",
                id="folder",
                kind="step",
                where={"job": job, "run": "make", '"working-directory"': folder},
            ),
        ),
    )


@family("container", difficulty=2, held_out=True)
def container(draw: Draw) -> Draft:
    name, branch, job, image = (
        draw.name(),
        draw.name(),
        draw.word(),
        draw.choice(("node:22", "python:3.12", "golang:1.24")),
    )
    return Draft(
        wordings=(
            f"Write a workflow {name} for pushes to {branch}: the job {job} runs in the container {image}, checks out (v4) and calls make.",
            f"workflow {name}, push {branch}, job {job} in container {image}: checkout@v4, make",
            f"The job {job} of {name} uses the container image {image} on ubuntu-latest; on pushes to {branch}: checkout v4, make.",
        ),
        answer=(
            f"name: {name}\n{on_push(branch)}jobs:\n  {job}:\n    runs-on: ubuntu-latest\n    container: {image}\n    steps:\n"
            f"{CHECKOUT}      - run: make\n"
        ),
        reasoning=(f"workflow {name} on push to {branch}", f"job {job} in container {image}, make"),
        checks=(
            identity("workflow", name),
            contains("workflow", name, "on.push.branches", branch),
            Check(
                op="any_of",
                id="container",
                checks=(
                    Check(op="equals", kind="job", name=job, path="container", value=image),
                    Check(op="equals", kind="job", name=job, path="container.image", value=image),
                ),
            ),
            checks_out(job),
            runs(job, "make"),
        ),
    )
