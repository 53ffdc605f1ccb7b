"""Task families with one or two jobs: difficulty 1 and 2."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, contains, equals, identity, references
from inframind.categories.gitlab_ci.families.checks import (
    by_hand,
    in_stage,
    keeps,
    keeps_days,
    on_branch,
    on_image,
    runs,
)
from inframind.types import Check

FAMILIES = Families("gitlab-ci")
family = FAMILIES.family

IMAGES = (
    "alpine:3.20",
    "python:3.12-slim",
    "node:22-alpine",
    "golang:1.23",
    "ruby:3.3-slim",
    "debian:12-slim",
)


@family("script", difficulty=1)
def script(draw: Draw) -> Draft:
    job, image, command = draw.word(), draw.choice(IMAGES), f"make {draw.word()}"
    answer = f"{job}:\n  image: {image}\n  script:\n    - {command}\n"
    return Draft(
        wordings=(
            f"Write a GitLab CI pipeline with one job {job} that runs {command} in {image}.",
            f"gitlab ci: job {job}, image {image}, script {command}",
            f"In GitLab, the job {job} should execute {command} inside the image {image}. Nothing else.",
        ),
        answer=answer,
        reasoning=(f"job {job}", f"image {image}, script {command}"),
        checks=(identity("job", job), on_image(job, image), runs(job, command)),
        variant=f"{job}:\n  script: {command}\n  image:\n    name: {image}\n",
        habits=((f"  image: {image}\n", ""), ("  script:", "  scripts:"), ("  script:", "  run:")),
    )


@family("global-variable", difficulty=1)
def global_variable(draw: Draw) -> Draft:
    job, key, value = draw.word(), draw.constant(), draw.word()
    answer = f"variables:\n  {key}: {value}\n\n{job}:\n  image: alpine:3.20\n  script:\n    - ./{job}.sh\n"
    return Draft(
        wordings=(
            f"Write a .gitlab-ci.yml where {key} is {value} for every job; the job {job} runs ./{job}.sh in alpine:3.20.",
            f"gitlab: global variable {key}={value}, job {job} on alpine:3.20 runs ./{job}.sh",
            f"All jobs of our GitLab pipeline need {key} set to {value}. So far there is one: {job}, which calls ./{job}.sh in alpine:3.20.",
        ),
        answer=answer,
        reasoning=(f"variables {key}: {value} at the top", f"job {job} runs ./{job}.sh"),
        checks=(
            identity("job", job),
            equals("pipeline", None, f"variables.{key}", value),
            on_image(job, "alpine:3.20"),
            runs(job, f"./{job}.sh"),
        ),
        variant=f'{job}:\n  image: alpine:3.20\n  script: ["./{job}.sh"]\nvariables:\n  {key}:\n    value: {value}\n',
        habits=(("variables:", "env:"), ("variables:\n", "environment:\n")),
    )


@family("runner-tags", difficulty=1)
def runner_tags(draw: Draw) -> Draft:
    job, tag, command = draw.word(), draw.name(), f"./{draw.name()}.sh"
    answer = f"{job}:\n  tags:\n    - {tag}\n  script:\n    - {command}\n"
    return Draft(
        wordings=(
            f"Write a GitLab pipeline whose job {job} runs {command} only on runners with the tag {tag}.",
            f"gitlab job {job}: runner tag {tag}, script {command}",
            f"Our runner is tagged {tag}. Let it pick up the GitLab job {job}, which calls {command}.",
        ),
        answer=answer,
        reasoning=(f"job {job} with the tag {tag}", f"script {command}"),
        checks=(identity("job", job), equals("job", job, "tags", [tag]), runs(job, command)),
        variant=f"{job}:\n  script: {command}\n  tags: [{tag}]\n",
        habits=(("  tags:\n    - ", "  tag: "), ("  tags:", "  runs-on:")),
    )


@family("manual-job", difficulty=1)
def manual_job(draw: Draw) -> Draft:
    job, image, command = draw.word(), draw.choice(IMAGES), f"./{draw.identifier()}.sh"
    answer = (
        f"{job}:\n  stage: deploy\n  image: {image}\n  script:\n    - {command}\n  when: manual\n"
    )
    return Draft(
        wordings=(
            f"Write a GitLab pipeline with the job {job} in the stage deploy, started by hand (when: manual), that runs {command} in {image}.",
            f"gitlab: manual job {job}, stage deploy, image {image}, script {command}",
            f"Somebody must press a button before {command} runs in {image}. Call the job {job} and put it in deploy.",
        ),
        answer=answer,
        reasoning=(f"job {job} in deploy, when manual", f"{command} in {image}"),
        checks=(
            identity("job", job),
            in_stage(job, "deploy"),
            by_hand(job),
            on_image(job, image),
            runs(job, command),
        ),
        variant=f"{job}:\n  stage: deploy\n  image: {image}\n  script:\n    - {command}\n  rules:\n    - when: manual\n",
        habits=(
            ("when: manual", "when: on_demand"),
            ("  when: manual\n", ""),
            ("when: manual", "manual: true"),
        ),
    )


@family("default-before-script", difficulty=1)
def default_before_script(draw: Draw) -> Draft:
    job, setup, command = draw.word(), f"make {draw.word()}", f"make {draw.word()}"
    image = draw.choice(IMAGES)
    answer = f"default:\n  image: {image}\n  before_script:\n    - {setup}\n\n{job}:\n  script:\n    - {command}\n"
    return Draft(
        wordings=(
            f"Write a GitLab pipeline that by default uses {image} and runs {setup} before every script. The job {job} runs {command}.",
            f"gitlab: default image {image}, default before_script {setup}; job {job}: {command}",
            f"Every GitLab job shall start with {setup} in {image}, without saying so itself. Add the job {job} with {command}.",
        ),
        answer=answer,
        reasoning=(f"default: {image}, before_script {setup}", f"job {job} runs {command}"),
        checks=(
            identity("job", job),
            on_image(job, image),
            equals("job", job, "before_script", [setup]),
            runs(job, command),
        ),
        variant=f"image: {image}\nbefore_script: [{setup}]\n{job}:\n  script: [{command}]\n",
        habits=(("  before_script:", "  before-script:"), ("default:", "defaults:")),
    )


@family("retry-timeout", difficulty=1, held_out=True)
def retry_timeout(draw: Draw) -> Draft:
    job, command = draw.word(), f"./{draw.name()}.sh"
    retries, minutes = draw.choice((1, 2)), draw.choice((5, 10, 20, 30, 45, 90))
    answer = f"{job}:\n  image: debian:12-slim\n  script:\n    - {command}\n  retry: {retries}\n  timeout: {minutes} minutes\n"
    return Draft(
        wordings=(
            f"Write a GitLab CI job {job} on debian:12-slim that runs {command}, is retried {retries} times at most and stops after {minutes} minutes.",
            f"gitlab job {job}: debian:12-slim, {command}, retry {retries}, timeout {minutes} minutes",
            f"{command} is flaky: as the job {job} (debian:12-slim) it gets {retries} retries and a timeout of {minutes} minutes.",
        ),
        answer=answer,
        reasoning=(f"job {job} runs {command}", f"retry {retries}, timeout {minutes} minutes"),
        checks=(
            identity("job", job),
            on_image(job, "debian:12-slim"),
            runs(job, command),
            equals("job", job, "retry.max", retries),
            Check(
                op="matches",
                id="timeout",
                kind="job",
                name=job,
                path="timeout",
                value=f"{minutes} ?(m|min|mins|minutes)",
            ),
        ),
        variant=f"{job}:\n  image: debian:12-slim\n  timeout: {minutes}m\n  retry:\n    max: {retries}\n  script: {command}\n",
        habits=(
            (f"  retry: {retries}", f"  retries: {retries}"),
            (f"timeout: {minutes} minutes", f"timeout: {minutes}"),
        ),
    )


@family("two-stages", difficulty=2)
def two_stages(draw: Draw) -> Draft:
    first, second, one, two = draw.word(), draw.word(), draw.name(), draw.name()
    answer = (
        f"stages:\n  - {first}\n  - {second}\n\n{one}:\n  stage: {first}\n  script:\n    - make {first}\n\n"
        f"{two}:\n  stage: {second}\n  script:\n    - make {second}\n"
    )
    return Draft(
        wordings=(
            f"Write a GitLab pipeline with the stages {first} and {second}: the job {one} runs make {first} in the first, {two} runs make {second} in the second.",
            f"gitlab stages {first}, {second}; jobs {one} (make {first}), {two} (make {second})",
            f"Two stages, {first} before {second}. In {first} the job {one} calls make {first}; in {second} the job {two} calls make {second}.",
        ),
        answer=answer,
        reasoning=(f"stages {first}, {second}", f"{one} in {first}, {two} in {second}"),
        checks=(
            identity("job", one),
            identity("job", two),
            equals("pipeline", None, "stages", [first, second]),
            in_stage(one, first),
            in_stage(two, second),
            runs(one, f"make {first}"),
            runs(two, f"make {second}"),
        ),
        variant=(
            f"stages: [{first}, {second}]\n{two}:\n  stage: {second}\n  script: make {second}\n{one}:\n  stage: {first}\n  script: make {first}\n"
        ),
        habits=(
            (f"stages:\n  - {first}\n  - {second}\n", ""),
            (f"  stage: {second}\n", ""),
            ("  stage: ", "  type: "),
        ),
    )


@family("artifacts", difficulty=2)
def artifacts(draw: Draw) -> Draft:
    job, folder, image, days = (
        draw.word(),
        draw.word(),
        draw.choice(IMAGES),
        draw.choice((1, 2, 3, 7, 14, 30)),
    )
    answer = (
        f"{job}:\n  stage: build\n  image: {image}\n  script:\n    - make {folder}\n"
        f"  artifacts:\n    paths:\n      - {folder}/\n    expire_in: {days} days\n"
    )
    return Draft(
        wordings=(
            f"Write a GitLab CI job {job} in the stage build that runs make {folder} in {image} and keeps {folder}/ as an artifact for {days} days.",
            f"gitlab job {job}, stage build, {image}: make {folder}; artifact {folder}/, expires in {days} days",
            f"make {folder} leaves its result in {folder}/. Run it in {image} as the build job {job} and keep that folder {days} days.",
        ),
        answer=answer,
        reasoning=(f"job {job}: make {folder} in {image}", f"artifact {folder}/ for {days} days"),
        checks=(
            identity("job", job),
            in_stage(job, "build"),
            on_image(job, image),
            runs(job, f"make {folder}"),
            keeps(job, folder),
            keeps_days(job, days),
        ),
        variant=(
            f"{job}:\n  artifacts:\n    expire_in: {days}d\n    paths: [{folder}]\n  stage: build\n  image: {image}\n  script: make {folder}\n"
        ),
        habits=(
            ("    expire_in:", "    expires_in:"),
            (f"    paths:\n      - {folder}/\n", f"    path: {folder}/\n"),
            (f"{days} days", f"{days} working days"),
        ),
    )


@family("cache-by-lockfile", difficulty=2)
def cache_by_lockfile(draw: Draw) -> Draft:
    job, branch = draw.word(), draw.name()
    lockfile, folder, install = draw.choice(
        (
            ("package-lock.json", ".npm/", "npm ci --cache .npm"),
            ("poetry.lock", ".venv/", "poetry install"),
            ("Gemfile.lock", "vendor/ruby/", "bundle install --path vendor/ruby"),
        )
    )
    answer = (
        f"{job}:\n  script:\n    - {install}\n    - make {job}\n  cache:\n    key:\n      files:\n        - {lockfile}\n"
        f'    paths:\n      - {folder}\n  rules:\n    - if: $CI_COMMIT_BRANCH == "{branch}"\n'
    )
    return Draft(
        wordings=(
            f"Write a GitLab CI job {job} for the branch {branch} that runs {install} and make {job}, with {folder} cached under a key from {lockfile}.",
            f"gitlab job {job}, branch {branch}: {install}; make {job}; cache {folder} keyed by {lockfile}",
            f"On {branch}, {job} installs with {install}, then runs make {job}. Cache {folder}; the cache must change when {lockfile} does.",
        ),
        answer=answer,
        reasoning=(f"job {job} on the branch {branch}", f"cache {folder}, key from {lockfile}"),
        checks=(
            identity("job", job),
            runs(job, install),
            runs(job, f"make {job}"),
            equals("job", job, "cache[0].key.files", [lockfile]),
            contains("job", job, "cache[0].paths", folder),
            on_branch(job, branch),
        ),
        variant=(
            f"{job}:\n  rules:\n    - if: '$CI_COMMIT_BRANCH == \"{branch}\"'\n  cache:\n    - key: {{files: [{lockfile}]}}\n      paths: [{folder}]\n"
            f"  script: [{install}, make {job}]\n"
        ),
        habits=(
            (f"    key:\n      files:\n        - {lockfile}\n", f"    key: {lockfile}\n"),
            (f'$CI_COMMIT_BRANCH == "{branch}"', f"$CI_COMMIT_BRANCH = {branch}"),
            ("  cache:", "  caches:"),
        ),
    )


@family("database-service", difficulty=2)
def database_service(draw: Draw) -> Draft:
    job, alias, database, command = (
        draw.word(),
        draw.word(),
        draw.identifier(),
        draw.choice(("pytest", "make test", "tox")),
    )
    version = draw.choice(("15", "16", "17"))
    answer = (
        f"{job}:\n  image: python:3.12-slim\n  services:\n    - name: postgres:{version}\n      alias: {alias}\n"
        f"  variables:\n    POSTGRES_DB: {database}\n    POSTGRES_HOST_AUTH_METHOD: trust\n  script:\n    - {command}\n"
    )
    return Draft(
        wordings=(
            f"Write a GitLab CI job {job} on python:3.12-slim that runs {command} with the service postgres:{version}, reachable as {alias}; POSTGRES_DB is {database}, POSTGRES_HOST_AUTH_METHOD trust.",
            f"gitlab job {job}: python:3.12-slim, {command}, service postgres:{version} alias {alias}, POSTGRES_DB={database}, POSTGRES_HOST_AUTH_METHOD=trust",
            f"{command} of the job {job} needs a PostgreSQL {version} (postgres:{version}) under the host name {alias}, database {database}, auth method trust. Image: python:3.12-slim.",
        ),
        answer=answer,
        reasoning=(
            f"job {job} runs {command}",
            f"service postgres:{version} as {alias}, database {database}",
        ),
        checks=(
            identity("job", job),
            on_image(job, "python:3.12-slim"),
            contains("job", job, "services", {"name": f"postgres:{version}", "alias": alias}),
            equals("job", job, "variables.POSTGRES_DB", database),
            equals("job", job, "variables.POSTGRES_HOST_AUTH_METHOD", "trust"),
            runs(job, command),
        ),
        variant=(
            f"variables:\n  POSTGRES_DB: {database}\n  POSTGRES_HOST_AUTH_METHOD: trust\n{job}:\n  image: python:3.12-slim\n"
            f"  services: [{{name: 'postgres:{version}', alias: {alias}}}]\n  script: {command}\n"
        ),
        habits=(
            (
                f"    - name: postgres:{version}\n      alias: {alias}\n",
                f"    {alias}:\n      image: postgres:{version}\n",
            ),
            (f"      alias: {alias}\n", ""),
            ("  services:", "  service:"),
        ),
    )


@family("environment", difficulty=2)
def environment(draw: Draw) -> Draft:
    job, name, host, branch = draw.word(), draw.name(), draw.domain(), draw.name()
    answer = (
        f"{job}:\n  stage: deploy\n  image: alpine:3.20\n  script:\n    - ./deploy.sh {name}\n  environment:\n    name: {name}\n"
        f'    url: https://{host}\n  rules:\n    - if: $CI_COMMIT_BRANCH == "{branch}"\n'
    )
    return Draft(
        wordings=(
            f"Write a GitLab deploy job {job} (stage deploy, alpine:3.20) for the branch {branch}: it runs ./deploy.sh {name} and belongs to the environment {name} at https://{host}.",
            f"gitlab: {job} in deploy, alpine:3.20, ./deploy.sh {name}, environment {name} url https://{host}, only branch {branch} (rules)",
            f"Pushes to {branch} deploy to the environment {name}, which lives at https://{host}. Job {job} of the stage deploy, image alpine:3.20, command ./deploy.sh {name}.",
        ),
        answer=answer,
        reasoning=(
            f"job {job} in deploy on the branch {branch}",
            f"environment {name} at https://{host}",
        ),
        checks=(
            identity("job", job),
            in_stage(job, "deploy"),
            on_image(job, "alpine:3.20"),
            runs(job, f"./deploy.sh {name}"),
            equals("job", job, "environment.name", name),
            equals("job", job, "environment.url", f"https://{host}"),
            on_branch(job, branch),
        ),
        variant=(
            f'{job}:\n  stage: deploy\n  image: alpine:3.20\n  script: [./deploy.sh {name}]\n  environment: {{name: {name}, url: "https://{host}"}}\n'
            f"  rules: [{{if: '$CI_COMMIT_REF_NAME == \"{branch}\"'}}]\n"
        ),
        habits=(
            ("    name: ", "    title: "),
            (f"https://{host}", host),
            (f'== "{branch}"', f"== {branch}"),
        ),
    )


@family("matrix", difficulty=2)
def matrix(draw: Draw) -> Draft:
    job, variable, command = draw.word(), draw.constant(), f"./{draw.name()}.sh"
    one, two = draw.word(), draw.word()
    answer = (
        f"{job}:\n  image: alpine:3.20\n  parallel:\n    matrix:\n      - {variable}:\n          - {one}\n          - {two}\n"
        f"  script:\n    - {command} ${variable}\n"
    )
    return Draft(
        wordings=(
            f"Write a GitLab CI job {job} on alpine:3.20 that runs {command} ${variable} in parallel for {variable} = {one} and {two}.",
            f"gitlab job {job}, alpine:3.20, parallel matrix {variable}: {one}, {two}; script {command} ${variable}",
            f"Run {command} ${variable} twice side by side, with {variable} once {one} and once {two}, as the matrix job {job} in alpine:3.20.",
        ),
        answer=answer,
        reasoning=(f"job {job} with a matrix over {variable}", f"values {one} and {two}"),
        checks=(
            identity("job", job),
            on_image(job, "alpine:3.20"),
            equals("job", job, "parallel.matrix[0]", {variable: [one, two]}),
            runs(job, f"{command} ${variable}"),
        ),
        variant=f"{job}:\n  script: {command} ${variable}\n  parallel: {{matrix: [{{{variable}: [{one}, {two}]}}]}}\n  image: alpine:3.20\n",
        habits=(
            ("  parallel:\n    matrix:\n      - ", "  strategy:\n    matrix:\n        "),
            ("    matrix:\n", ""),
        ),
    )


@family("project-include", difficulty=2, held_out=True)
def project_include(draw: Draw) -> Draft:
    group, project, job, command = draw.word(), draw.name(), draw.word(), f"make {draw.word()}"
    version = f"v{draw.integer(1, 9)}.{draw.integer(0, 9)}.0"
    answer = (
        f"include:\n  - project: {group}/{project}\n    ref: {version}\n    file: /jobs.yml\n\n{job}:\n  stage: test\n"
        f"  image: golang:1.23\n  script:\n    - {command}\n"
    )
    return Draft(
        wordings=(
            f"Write a .gitlab-ci.yml that includes /jobs.yml of the project {group}/{project} at {version}, and has a job {job} of the stage test running {command} in golang:1.23.",
            f"gitlab: include {group}/{project} /jobs.yml ref {version}; job {job}, stage test, golang:1.23, {command}",
            f"We share jobs in {group}/{project}, file /jobs.yml; pin them to {version}. Our own test job is {job}: {command} in golang:1.23.",
        ),
        answer=answer,
        reasoning=(f"include {group}/{project} at {version}", f"job {job} runs {command}"),
        checks=(
            identity("job", job),
            contains(
                "pipeline", None, "include", {"project": f"{group}/{project}", "ref": version}
            ),
            Check(
                op="matches",
                id="file",
                kind="pipeline",
                path="[include[0].file][] | [0]",
                value="/?jobs.yml",
            ),
            in_stage(job, "test"),
            on_image(job, "golang:1.23"),
            runs(job, command),
        ),
        variant=(
            f"{job}:\n  image: golang:1.23\n  script: {command}\ninclude:\n  project: {group}/{project}\n  file: jobs.yml\n  ref: {version}\n"
        ),
        habits=(
            (f"    ref: {version}\n", ""),
            ("    ref: ", "    version: "),
            (f"project: {group}/{project}", f"project: {project}"),
        ),
    )


@family("needs", difficulty=2)
def needs(draw: Draw) -> Draft:
    first, second, one, two = draw.word(), draw.word(), draw.word(), draw.word()
    answer = (
        f"{first}:\n  stage: build\n  script:\n    - make {one}\n\n{second}:\n  stage: test\n  needs:\n    - {first}\n"
        f"  script:\n    - make {two}\n"
    )
    return Draft(
        wordings=(
            f"Write a GitLab pipeline: {first} runs make {one} in the stage build; {second} runs make {two} in test and starts as soon as {first} is done.",
            f"gitlab: build job {first} (make {one}), test job {second} (make {two}) needs {first}",
            f"{second} (stage test, make {two}) should wait for {first} (stage build, make {one}) alone and not for the whole stage.",
        ),
        answer=answer,
        reasoning=(f"{first} in build, {second} in test", f"{second} needs {first}"),
        checks=(
            identity("job", first),
            identity("job", second),
            references("job", second, "needs", "job", first),
            in_stage(first, "build"),
            in_stage(second, "test"),
            runs(first, f"make {one}"),
            runs(second, f"make {two}"),
        ),
        variant=(
            f"{second}:\n  needs:\n    - job: {first}\n  script: make {two}\n{first}:\n  stage: build\n  script: make {one}\n"
        ),
        habits=(
            ("  needs:", "  depends_on:"),
            (f"  needs:\n    - {first}\n", f"  needs: {first}\n"),
            ("  needs:", "  requires:"),
        ),
    )
