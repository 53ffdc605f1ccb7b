"""Task families for GitHub Actions workflows of several jobs that hand work to one another."""

from textwrap import dedent

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, contains, equals, identity, references
from inframind.categories.github_actions.families.basics import (
    CHECKOUT,
    OLD_CHECKOUT,
    checks_out,
    on_push,
    runs,
)
from inframind.types import Check

FAMILIES = Families("github-actions")
family = FAMILIES.family

LOGIN = {"password": "${{ secrets.GITHUB_TOKEN }}"}
REGIONS = ("eu-central-1", "us-east-1", "eu-west-1", "ap-southeast-2")


def step(job: str, action: str, **given: object) -> Check:
    """The job has a step of that action with these inputs."""
    where: dict[str, object] = {"job": job, "action": action}
    return Check(
        op="exists",
        id=action,
        kind="step",
        where=where | {f'with."{key.replace("_", "-")}"': value for key, value in given.items()},
    )


def condition(job: str, pattern: str) -> Check:
    """The job's `if` matches."""
    return Check(op="matches", id="if", kind="job", name=job, path='"if"', value=pattern)


@family("build-and-deploy", difficulty=3)
def build_and_deploy(draw: Draw) -> Draft:
    name, branch, build, deploy, artifact = (
        draw.name(),
        draw.name(),
        draw.word(),
        draw.word(),
        draw.name(),
    )
    folder = draw.choice(("dist", "build", "public", "out"))
    answer = (
        f"name: {name}\n{on_push(branch)}jobs:\n  {build}:\n    runs-on: ubuntu-latest\n    steps:\n{CHECKOUT}      - run: make\n"
        f"      - uses: actions/upload-artifact@v4\n        with:\n          name: {artifact}\n          path: {folder}\n"
        f"  {deploy}:\n    needs: {build}\n    runs-on: ubuntu-latest\n    steps:\n"
        f"      - uses: actions/download-artifact@v4\n        with:\n          name: {artifact}\n          path: {folder}\n"
        f"      - run: ./deploy.sh {folder}\n"
    )
    return Draft(
        wordings=(
            f"Write a workflow {name} for pushes to {branch}: the job {build} checks out (v4), runs make and uploads {folder} as the artifact {artifact}; "
            f"the job {deploy} needs it, downloads the artifact to {folder} and runs ./deploy.sh {folder}. All on ubuntu-latest, artifact actions v4.",
            f"workflow {name}, push {branch}: {build} (checkout@v4, make, upload-artifact@v4 {artifact}={folder}) -> {deploy} (download-artifact@v4, ./deploy.sh {folder}), ubuntu-latest",
            f"In {name}, {deploy} may only start after {build}. {build} makes {folder} (checkout v4, make) and hands it over as {artifact}; {deploy} fetches it into {folder} and calls ./deploy.sh {folder}. "
            f"Trigger: pushes to {branch}; runners: ubuntu-latest.",
        ),
        answer=answer,
        reasoning=(f"workflow {name} on push to {branch}", f"job {build}: make, upload {artifact}", f"job {deploy} needs {build}: download, deploy"),
        checks=(
            identity("workflow", name),
            contains("workflow", name, "on.push.branches", branch),
            checks_out(build),
            runs(build, "make"),
            step(build, "actions/upload-artifact", name=artifact, path=folder),
            references("job", deploy, "needs", "job", build),
            step(deploy, "actions/download-artifact", name=artifact, path=folder),
            runs(deploy, f"./deploy.sh {folder}"),
        ),
        variant=answer.replace(f"needs: {build}", f"needs: [{build}]").replace("      - run: make\n", "      - name: Build\n        run: make\n"),
        habits=(OLD_CHECKOUT, (f"    needs: {build}\n", f"    depends_on: {build}\n"), (f"    needs: {build}\n", "")),
    )  # fmt: skip


@family("matrix-with-cache", difficulty=3)
def matrix_with_cache(draw: Draw) -> Draft:
    name, branch, job = draw.name(), draw.name(), draw.word()
    low, high = draw.choice((("3.10", "3.12"), ("3.11", "3.13"), ("3.12", "3.13")))
    limit = draw.integer(1, 4)
    answer = (
        f"name: {name}\n{on_push(branch)}jobs:\n  {job}:\n    runs-on: ${{{{ matrix.os }}}}\n    strategy:\n      fail-fast: false\n"
        f"      max-parallel: {limit}\n      matrix:\n        os: [ubuntu-latest, macos-latest]\n"
        f'        python: ["{low}", "{high}"]\n    steps:\n{CHECKOUT}      - uses: actions/setup-python@v5\n        with:\n'
        "          python-version: ${{ matrix.python }}\n          cache: pip\n      - run: pip install -e .[test]\n      - run: pytest\n"
    )
    return Draft(
        wordings=(
            f"Write a workflow {name}, on pushes to {branch}: the job {job} tests Python {low} and {high} on ubuntu-latest and macos-latest, at most {limit} at once, without failing fast: "
            "checkout v4, setup-python v5 with pip caching, pip install -e .[test], pytest. Matrix keys: os and python.",
            f"workflow {name}, push {branch}: job {job}, matrix os [ubuntu-latest, macos-latest] x python [{low}, {high}], max-parallel {limit}, fail-fast off, setup-python@v5 cache pip, pip install -e .[test], pytest",
            f"{job} runs pytest in a matrix of os (ubuntu-latest, macos-latest) and python ({low}, {high}); {limit} jobs at most in parallel, all of them to the end. "
            f"setup-python v5 caches pip; install with pip install -e .[test]. Workflow {name}, pushes to {branch}.",
        ),
        answer=answer,
        reasoning=(f"workflow {name} on push to {branch}", f"job {job}: matrix of os and python {low}, {high}", "setup-python caches pip, then pytest"),
        checks=(
            identity("workflow", name),
            contains("workflow", name, "on.push.branches", branch),
            equals("job", job, "matrix.python", [low, high]),
            Check(op="equals", id="os", kind="job", name=job, path="sort(matrix.os)", value=["macos-latest", "ubuntu-latest"]),
            equals("job", job, 'strategy."fail-fast"', False),
            equals("job", job, 'strategy."max-parallel"', limit),
            contains("job", job, '"runs-on"', "${{ matrix.os }}"),
            checks_out(job),
            step(job, "actions/setup-python", python_version="${{ matrix.python }}", cache="pip"),
            runs(job, "pip install -e .[test]"),
            runs(job, "pytest"),
        ),
        variant=answer.replace("[ubuntu-latest, macos-latest]", "\n          - macos-latest\n          - ubuntu-latest"),
        habits=(OLD_CHECKOUT, (f'["{low}", "{high}"]', f"[{low}, {high}]"), ("      fail-fast: false\n", "")),
    )  # fmt: skip


@family("cloud-login", difficulty=4)
def cloud_login(draw: Draw) -> Draft:
    name, branch, job, role = draw.name(), draw.name(), draw.word(), draw.name()
    account, region = draw.number(100_000_000_000, 999_999_999_999), draw.choice(REGIONS)
    arn = f"arn:aws:iam::{account}:role/{role}"
    answer = (
        f"name: {name}\n{on_push(branch)}permissions:\n  id-token: write\n  contents: read\njobs:\n  {job}:\n    runs-on: ubuntu-latest\n"
        f"    environment: production\n    steps:\n{CHECKOUT}      - uses: aws-actions/configure-aws-credentials@v4\n        with:\n"
        f"          role-to-assume: {arn}\n          aws-region: {region}\n      - run: terraform init\n"
        "      - run: terraform apply -auto-approve\n"
    )
    return Draft(
        wordings=(
            f"Write a workflow {name}: on pushes to {branch} the job {job} (ubuntu-latest, environment production) checks out (v4), takes the role {arn} in {region} by OIDC "
            "(configure-aws-credentials v4, id-token: write, contents: read), then runs terraform init and terraform apply -auto-approve.",
            f"workflow {name}, push {branch}: {job}, env production, OIDC {arn} {region} (aws-actions/configure-aws-credentials@v4), checkout@v4, terraform init, terraform apply -auto-approve; permissions id-token write contents read",
            f"Deploy without stored keys: {name} runs on pushes to {branch}; its job {job} belongs to the environment production, assumes {arn} ({region}) through OIDC and applies Terraform "
            "(terraform init, then terraform apply -auto-approve). Grant id-token: write and contents: read, no more.",
        ),
        answer=answer,
        reasoning=(f"workflow {name} on push to {branch}", "id-token: write for OIDC, contents: read", f"job {job}: role {role}, {region}", "terraform init, apply"),
        checks=(
            identity("workflow", name),
            contains("workflow", name, "on.push.branches", branch),
            Check(
                op="any_of",
                id="permissions",
                checks=(
                    equals("workflow", name, "permissions", {"id-token": "write", "contents": "read"}),
                    equals("job", job, "permissions", {"id-token": "write", "contents": "read"}),
                ),
            ),
            Check(
                op="any_of",
                id="environment",
                checks=(equals("job", job, "environment", "production"), equals("job", job, "environment.name", "production")),
            ),
            checks_out(job),
            step(job, "aws-actions/configure-aws-credentials", role_to_assume=arn, aws_region=region),
            runs(job, "terraform init"),
            runs(job, "terraform apply -auto-approve"),
        ),
        variant=answer.replace("permissions:\n  id-token: write\n  contents: read\n", "").replace(
            "    environment:", "    permissions:\n      contents: read\n      id-token: write\n    environment:"
        ),
        habits=(OLD_CHECKOUT, ("  id-token: write\n", ""), ("id-token: write\n  contents: read", "id-token: write\n  contents: write")),
    )  # fmt: skip


@family("image-release", difficulty=4)
def image_release(draw: Draw) -> Draft:
    name, job, image = draw.name(), draw.word(), draw.name()
    answer = dedent(f"""\
        name: {name}
        on:
          push:
            tags: ["v*"]
        permissions:
          contents: read
          packages: write
        jobs:
          {job}:
            runs-on: ubuntu-latest
            steps:
              - uses: actions/checkout@v4
              - uses: docker/setup-buildx-action@v3
              - uses: docker/login-action@v3
                with:
                  registry: ghcr.io
                  username: ${{{{ github.actor }}}}
                  password: ${{{{ secrets.GITHUB_TOKEN }}}}
              - uses: docker/build-push-action@v6
                with:
                  push: true
                  tags: ghcr.io/${{{{ github.repository_owner }}}}/{image}:${{{{ github.ref_name }}}}
                  cache-from: type=gha
                  cache-to: type=gha,mode=max
        """)
    return Draft(
        wordings=(
            f"Write a workflow {name}: tags v* build the image {image} in the job {job} and push it to ghcr.io under the repository's owner with the tag's name "
            "(checkout v4, setup-buildx v3, login v3 as github.actor with GITHUB_TOKEN, build-push v6 with the gha cache, mode max). Permissions: contents read, packages write.",
            f"workflow {name}, tags v*: job {job}: checkout@v4, setup-buildx@v3, login@v3 ghcr.io, build-push@v6 push ghcr.io/<owner>/{image}:<tag>, cache gha mode=max; packages: write, contents: read",
            f"Each tag that starts with v releases {image}: {job} in {name} logs in to ghcr.io (github.actor, GITHUB_TOKEN) and pushes ghcr.io/<owner>/{image}:<tag> with docker/build-push-action v6, "
            "cached by type=gha (mode=max). The token may read contents and write packages.",
        ),
        answer=answer,
        reasoning=(f"workflow {name} on tags v*", "contents: read, packages: write", f"job {job}: buildx, login to ghcr.io", f"build and push {image}, gha cache"),
        checks=(
            identity("workflow", name),
            contains("workflow", name, "on.push.tags", "v*"),
            equals("workflow", name, "permissions", {"contents": "read", "packages": "write"}),
            checks_out(job),
            step(job, "docker/setup-buildx-action"),
            step(job, "docker/login-action", registry="ghcr.io", username="${{ github.actor }}", **LOGIN),
            Check(op="exists", id="push", kind="step", where={"job": job, "action": "docker/build-push-action", "version": "v6", "with.push": True}),
            Check(
                op="matches",
                id="tag",
                kind="step",
                where={"job": job, "action": "docker/build-push-action"},
                path="with.tags",
                value=rf"ghcr\.io/\$\{{\{{ github\.repository_owner \}}\}}/{image}:\$\{{\{{ github\.ref_name \}}\}}\s*",
            ),
            Check(op="equals", id="cache", kind="step", where={"job": job, "action": "docker/build-push-action"}, path='with."cache-to"', value="type=gha,mode=max"),
        ),
        variant=answer.replace('tags: ["v*"]', "tags:\n      - v*"),
        habits=(OLD_CHECKOUT, ("docker/build-push-action@v6", "docker/build-push-action@v1"), ("  packages: write\n", "")),
    )  # fmt: skip


@family("guarded-release", difficulty=4)
def guarded_release(draw: Draw) -> Draft:
    name, lint, test, release = draw.name(), draw.word(), draw.word(), draw.word()
    minutes = draw.choice((11, 21, 31, 41))
    job = "    runs-on: ubuntu-latest\n    steps:\n"
    answer = (
        f"name: {name}\non:\n  push:\n    branches: [main]\n  pull_request:\nconcurrency:\n  group: {name}-${{{{ github.ref }}}}\n"
        f"  cancel-in-progress: true\njobs:\n  {lint}:\n{job}{CHECKOUT}      - run: make lint\n  {test}:\n    timeout-minutes: {minutes}\n{job}"
        f"{CHECKOUT}      - run: make test\n  {release}:\n    needs: [{lint}, {test}]\n    if: github.ref == 'refs/heads/main'\n{job}"
        f"{CHECKOUT}      - run: make release\n"
    )
    return Draft(
        wordings=(
            f"Write a workflow {name} for pushes to main and pull requests. {lint} runs make lint; {test} runs make test within {minutes} minutes; {release} needs both, only on refs/heads/main, and runs make release. "
            f"Each job: ubuntu-latest, checkout v4. A newer run of the same ref cancels the older one (group {name}-<ref>).",
            f"workflow {name}: push main + pull_request; {lint}: make lint; {test}: make test, timeout {minutes}; {release}: needs both, if main, make release; checkout@v4, ubuntu-latest; concurrency {name}-${{{{ github.ref }}}} cancel",
            f"Nothing is released unchecked: in {name}, {release} (make release) waits for {lint} (make lint) and {test} (make test, {minutes} minutes at most) and only runs for main. Triggers: pull requests, pushes to main. "
            f"Concurrency group {name}-${{{{ github.ref }}}}, cancel in progress; checkout v4 on ubuntu-latest everywhere.",
        ),
        answer=answer,
        reasoning=(f"workflow {name}: push to main, pull requests", f"jobs {lint}, {test} ({minutes} minutes)", f"job {release} needs both, on main", "concurrency by ref"),
        checks=(
            identity("workflow", name),
            contains("workflow", name, "on.push.branches", "main"),
            Check(op="exists", id="pull requests", kind="workflow", name=name, where={"on.pull_request != null": True}),
            equals("workflow", name, "concurrency", {"group": f"{name}-${{{{ github.ref }}}}", "cancel-in-progress": True}),
            *(checks_out(each) for each in (lint, test, release)),
            runs(lint, "make lint"),
            runs(test, "make test"),
            runs(release, "make release"),
            equals("job", test, '"timeout-minutes"', minutes),
            references("job", release, "needs", "job", lint),
            references("job", release, "needs", "job", test),
            condition(release, r"(\$\{\{ *)?github\.ref *== *'refs/heads/main'( *\}\})?"),
        ),
        variant=answer.replace("if: github.ref == 'refs/heads/main'", "if: ${{ github.ref == 'refs/heads/main' }}"),
        habits=(OLD_CHECKOUT, (f"    needs: [{lint}, {test}]\n", f"    needs: [{lint}]\n"), ("  cancel-in-progress: true\n", "")),
    )  # fmt: skip


@family("service-tests", difficulty=3, held_out=True)
def service_tests(draw: Draw) -> Draft:
    name, branch, job, database, port = (
        draw.name(),
        draw.name(),
        draw.word(),
        draw.word(),
        draw.port(),
    )
    answer = (
        f"name: {name}\n{on_push(branch)}jobs:\n  {job}:\n    runs-on: ubuntu-latest\n    services:\n      postgres:\n        image: postgres:16\n"
        f"        env:\n          POSTGRES_DB: {database}\n          POSTGRES_HOST_AUTH_METHOD: trust\n"
        f'        ports: ["{port}:5432"]\n        options: --health-cmd pg_isready --health-interval 10s\n    env:\n'
        f"      DATABASE_URL: postgresql://postgres@localhost:{port}/{database}\n    steps:\n{CHECKOUT}      - run: make test\n"
    )
    return Draft(
        wordings=(
            f"Write a workflow {name} for pushes to {branch}: the job {job} on ubuntu-latest has the service postgres (postgres:16, database {database}, auth method trust, port {port}:5432, "
            f"health by pg_isready every 10s), DATABASE_URL=postgresql://postgres@localhost:{port}/{database}, checks out (v4) and runs make test.",
            f"workflow {name}, push {branch}, job {job}: service postgres:16 db {database} trust {port}:5432 pg_isready 10s, DATABASE_URL postgresql://postgres@localhost:{port}/{database}, checkout@v4, make test",
            f"The tests of {job} need a database: service postgres from postgres:16 with POSTGRES_DB={database}, POSTGRES_HOST_AUTH_METHOD=trust, published at {port}, --health-cmd pg_isready --health-interval 10s. "
            f"The job sees postgresql://postgres@localhost:{port}/{database} as DATABASE_URL and runs make test after checkout v4. Workflow {name}, pushes to {branch}.",
        ),
        answer=answer,
        reasoning=(f"workflow {name} on push to {branch}", f"service postgres:16, {database}, {port}:5432", "DATABASE_URL, make test"),
        checks=(
            identity("workflow", name),
            contains("workflow", name, "on.push.branches", branch),
            equals("job", job, "services.postgres.image", "postgres:16"),
            equals("job", job, "services.postgres.env", {"POSTGRES_DB": database, "POSTGRES_HOST_AUTH_METHOD": "trust"}),
            contains("job", job, "services.postgres.ports", f"{port}:5432"),
            contains("job", job, "services.postgres.options", "--health-cmd pg_isready"),
            equals("job", job, "env.DATABASE_URL", f"postgresql://postgres@localhost:{port}/{database}"),
            checks_out(job),
            runs(job, "make test"),
        ),
        variant=answer.replace(f'ports: ["{port}:5432"]', f"ports:\n          - {port}:5432"),
        habits=(OLD_CHECKOUT, ("image: postgres:16", "image: postgres:9.6"), (f"{port}:5432", f"5432:{port}")),
    )  # fmt: skip
