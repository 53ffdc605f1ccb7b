"""Task families with several jobs that depend on one another: difficulty 3."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, contains, equals, exists, identity, references
from inframind.categories.gitlab_ci.families.checks import (
    LOGIN,
    MERGE_REQUEST,
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


@family("diamond", difficulty=3)
def diamond(draw: Draw) -> Draft:
    first, left, right, last = draw.word(), draw.word(), draw.word(), draw.word()
    job = "{0}:\n  stage: {1}\n  image: alpine:3.20\n  needs: [{2}]\n  script:\n    - make {0}\n"
    answer = (
        f"stages: [build, test, deploy]\n\n{first}:\n  stage: build\n  image: alpine:3.20\n  script:\n    - make {first}\n\n"
        + "\n".join(
            (
                job.format(left, "test", first),
                job.format(right, "test", first),
                job.format(last, "deploy", f"{left}, {right}"),
            )
        )
    )
    return Draft(
        wordings=(
            f"Write a GitLab pipeline with build, test and deploy: {first} (build), {left} and {right} (test, both need {first}), {last} (deploy, needs {left} and {right}). Each runs make with its own name in alpine:3.20.",
            f"gitlab DAG on alpine:3.20, each job runs make <its name>: {first} (build) -> {left}, {right} (test) -> {last} (deploy)",
            f"Jobs, in alpine:3.20, each `make` plus the job's name: {last} of deploy starts after {left} and {right} of test, and those two after {first} of build. Use needs.",
        ),
        answer=answer,
        reasoning=(
            f"{first} in build",
            f"{left} and {right} need {first}",
            f"{last} needs {left} and {right}",
        ),
        checks=(
            *(identity("job", name) for name in (first, left, right, last)),
            references("job", left, "needs", "job", first),
            references("job", right, "needs", "job", first),
            references("job", last, "needs", "job", left),
            references("job", last, "needs", "job", right),
            in_stage(first, "build"),
            in_stage(left, "test"),
            in_stage(right, "test"),
            in_stage(last, "deploy"),
            *(
                check
                for name in (first, left, right, last)
                for check in (runs(name, f"make {name}"), on_image(name, "alpine:3.20"))
            ),
        ),
        variant=(
            f"default: {{image: 'alpine:3.20'}}\n{last}:\n  stage: deploy\n  needs:\n    - job: {right}\n    - job: {left}\n  script: make {last}\n"
            + "".join(
                f"{name}:\n  needs: ['{first}']\n  script: make {name}\n" for name in (left, right)
            )
            + f"{first}:\n  stage: build\n  script: make {first}\n"
        ),
        habits=(
            (f"needs: [{left}, {right}]", f"needs: [{left}]"),
            ("  needs:", "  depends_on:"),
            ("stage: build", "stage: compile"),
        ),
    )


@family("extended-jobs", difficulty=3)
def extended_jobs(draw: Draw) -> Draft:
    base, one, two = draw.choice(("base", "common", "shared")), draw.word(), draw.word()
    image, tag, setup = (
        draw.choice(("python:3.12-slim", "node:22-alpine", "golang:1.23")),
        draw.name(),
        f"make {draw.word()}",
    )
    answer = (
        f".{base}:\n  image: {image}\n  tags: [{tag}]\n  before_script:\n    - {setup}\n\n"
        + "\n".join(
            f"{name}:\n  extends: .{base}\n  script:\n    - make {name}\n" for name in (one, two)
        )
    )
    return Draft(
        wordings=(
            f"Write a GitLab pipeline with one hidden job (image {image}, runner tag {tag}, before_script {setup}) that {one} and {two} extend; each runs make with its own name.",
            f"gitlab: hidden job with {image}, tag {tag}, before_script {setup}; {one} and {two} extend it, script make <name>",
            f"{one} and {two} share image ({image}), runner tag ({tag}) and preparation ({setup}) through one template. Their scripts are make {one} and make {two}.",
        ),
        answer=answer,
        reasoning=(f"a hidden job with {image}, {tag}, {setup}", f"{one} and {two} extend it"),
        checks=tuple(
            check
            for name in (one, two)
            for check in (
                identity("job", name),
                on_image(name, image),
                equals("job", name, "tags", [tag]),
                contains("job", name, "before_script", setup),
                runs(name, f"make {name}"),
            )
        ),
        variant=(
            f".{base}: &base\n  image: {image}\n  tags:\n    - {tag}\n  before_script: [{setup}]\n"
            + "".join(f"{name}:\n  <<: *base\n  script: make {name}\n" for name in (one, two))
        ),
        habits=(
            (f"extends: .{base}", f"extend: .{base}"),
            (f"extends: .{base}", f"extends: {base}"),
            ("  tags:", "  tag:"),
        ),
    )


@family("artifact-handover", difficulty=3)
def artifact_handover(draw: Draw) -> Draft:
    build, check, folder, image = (
        draw.word(),
        draw.word(),
        draw.word(),
        draw.choice(("node:22-alpine", "golang:1.23")),
    )
    days = draw.choice((1, 2, 3, 7))
    answer = (
        f"default:\n  image: {image}\n\n{build}:\n  stage: build\n  script:\n    - make {folder}\n  artifacts:\n    paths:\n      - {folder}/\n"
        f"    expire_in: {days} days\n\n{check}:\n  stage: test\n  needs:\n    - job: {build}\n      artifacts: true\n  script:\n"
        f"    - ./check.sh {folder}/\n"
    )
    return Draft(
        wordings=(
            f"Write a GitLab pipeline on {image}: {build} (stage build) runs make {folder} and hands {folder}/ on for {days} days; {check} (stage test) needs its artifacts and runs ./check.sh {folder}/.",
            f"gitlab, {image}: {build} (build, make {folder}, artifact {folder}/, {days} days) -> {check} (test, needs with artifacts, ./check.sh {folder}/)",
            f"What {build} builds with make {folder} lies in {folder}/ and lives {days} days; {check} takes it over by needs and calls ./check.sh {folder}/. Stages build and test, image {image}.",
        ),
        answer=answer,
        reasoning=(
            f"{build} makes {folder}/, an artifact for {days} days",
            f"{check} needs {build} with its artifacts",
        ),
        checks=(
            identity("job", build),
            identity("job", check),
            on_image(build, image),
            on_image(check, image),
            in_stage(build, "build"),
            in_stage(check, "test"),
            runs(build, f"make {folder}"),
            runs(check, f"./check.sh {folder}/"),
            keeps(build, folder),
            keeps_days(build, days),
            references("job", check, "needs", "job", build),
            Check(
                op="not_equals",
                id="with artifacts",
                kind="job",
                name=check,
                path="needs[0].artifacts",
                value=False,
            ),
        ),
        variant=(
            f"{check}:\n  image: {image}\n  stage: test\n  needs: [{build}]\n  script: ./check.sh {folder}/\n"
            f"{build}:\n  stage: build\n  image: {image}\n  script: make {folder}\n  artifacts: {{paths: [{folder}/], expire_in: {days} day}}\n"
        ),
        habits=(
            ("      artifacts: true", "      artifacts: false"),
            ("    expire_in:", "    expires_in:"),
            (f"    - job: {build}", "    - job: build-job"),
        ),
    )


@family("image-build", difficulty=3)
def image_build(draw: Draw) -> Draft:
    job, branch, context = draw.word(), draw.name(), draw.word()
    build, push = (
        f'docker build -t "$CI_REGISTRY_IMAGE:$CI_COMMIT_SHA" {context}',
        'docker push "$CI_REGISTRY_IMAGE:$CI_COMMIT_SHA"',
    )
    answer = (
        f"{job}:\n  stage: build\n  image: docker:27.3\n  services:\n    - docker:27.3-dind\n  variables:\n    DOCKER_TLS_CERTDIR: /certs\n"
        f'  before_script:\n    - {LOGIN}\n  script:\n    - {build}\n    - {push}\n  rules:\n    - if: $CI_COMMIT_BRANCH == "{branch}"\n'
    )
    return Draft(
        wordings=(
            f"Write a GitLab job {job} (stage build, docker:27.3 with the service docker:27.3-dind, DOCKER_TLS_CERTDIR /certs) for the branch {branch}: log in to the registry with the password from standard input, build $CI_REGISTRY_IMAGE:$CI_COMMIT_SHA from {context} and push it.",
            f'gitlab {job}: stage build, docker:27.3 + docker:27.3-dind, DOCKER_TLS_CERTDIR=/certs, login by --password-stdin, docker build -t "$CI_REGISTRY_IMAGE:$CI_COMMIT_SHA" {context}, docker push, branch {branch}',
            f"On {branch}, {job} builds the folder {context} into $CI_REGISTRY_IMAGE:$CI_COMMIT_SHA and pushes it. docker:27.3, service docker:27.3-dind, DOCKER_TLS_CERTDIR=/certs, stage build, docker login with --password-stdin before.",
        ),
        answer=answer,
        reasoning=(
            f"job {job} in build with docker:27.3-dind",
            f"login, build {context}, push; branch {branch}",
        ),
        checks=(
            identity("job", job),
            in_stage(job, "build"),
            on_image(job, "docker:27.3"),
            contains("job", job, "services", {"name": "docker:27.3-dind"}),
            equals("job", job, "variables.DOCKER_TLS_CERTDIR", "/certs"),
            exists(
                "job",
                job,
                "[before_script, script][][] | [?contains(@, 'docker login') && contains(@, '--password-stdin')]",
            ),
            runs(job, build),
            runs(job, push),
            on_branch(job, branch),
        ),
        variant=(
            f"{job}:\n  stage: build\n  image: {{name: 'docker:27.3'}}\n  services: [{{name: 'docker:27.3-dind'}}]\n"
            f"  variables: {{DOCKER_TLS_CERTDIR: /certs}}\n  script:\n    - {LOGIN}\n    - {build}\n    - {push}\n"
            f"  rules:\n    - if: '$CI_COMMIT_BRANCH == \"{branch}\"'\n      when: on_success\n"
        ),
        habits=(
            ("    - docker:27.3-dind", "    - docker:dind"),
            (LOGIN, 'docker login -u "$CI_REGISTRY_USER" -p "$CI_REGISTRY_PASSWORD"'),
            (f"    - {push}\n", ""),
            ("  rules:\n    - if: ", "  only:\n    - "),
        ),
    )


@family("review-environment", difficulty=3)
def review_environment(draw: Draw) -> Draft:
    start, stop, prefix, host = draw.word(), draw.word(), draw.word(), draw.domain()
    days = draw.choice((1, 2, 3))
    answer = (
        f"{start}:\n  stage: deploy\n  image: alpine:3.20\n  script:\n    - ./review.sh up\n  environment:\n"
        f"    name: {prefix}/$CI_COMMIT_REF_SLUG\n    url: https://$CI_COMMIT_REF_SLUG.{host}\n    on_stop: {stop}\n    auto_stop_in: {days} days\n"
        f"  rules:\n    - if: {MERGE_REQUEST}\n\n{stop}:\n  stage: deploy\n  image: alpine:3.20\n  needs: []\n  script:\n    - ./review.sh down\n"
        f"  environment:\n    name: {prefix}/$CI_COMMIT_REF_SLUG\n    action: stop\n  rules:\n    - if: {MERGE_REQUEST}\n      when: manual\n"
    )
    return Draft(
        wordings=(
            f"Write a GitLab pipeline for merge requests: {start} runs ./review.sh up and opens the environment {prefix}/$CI_COMMIT_REF_SLUG at https://$CI_COMMIT_REF_SLUG.{host}, stopped after {days} days or by hand by {stop}, which runs ./review.sh down. Both in deploy on alpine:3.20.",
            f"gitlab review app (merge_request_event only): {start} ./review.sh up, env {prefix}/$CI_COMMIT_REF_SLUG, url https://$CI_COMMIT_REF_SLUG.{host}, auto stop {days} days, on_stop {stop}; {stop}: manual, ./review.sh down; stage deploy, alpine:3.20",
            f"Review environments for merge requests.\n---\nstart: {start}, ./review.sh up\nstop: {stop}, ./review.sh down, manual\nenvironment: {prefix}/$CI_COMMIT_REF_SLUG\nurl: https://$CI_COMMIT_REF_SLUG.{host}\nauto stop: {days} days\nstage deploy, image alpine:3.20",
        ),
        answer=answer,
        reasoning=(
            f"{start} opens {prefix}/$CI_COMMIT_REF_SLUG",
            f"on_stop {stop}, auto stop after {days} days",
            f"{stop} by hand, action stop",
        ),
        checks=(
            identity("job", start),
            identity("job", stop),
            in_stage(start, "deploy"),
            in_stage(stop, "deploy"),
            on_image(start, "alpine:3.20"),
            on_image(stop, "alpine:3.20"),
            runs(start, "./review.sh up"),
            runs(stop, "./review.sh down"),
            equals("job", start, "environment.name", f"{prefix}/$CI_COMMIT_REF_SLUG"),
            equals("job", start, "environment.url", f"https://$CI_COMMIT_REF_SLUG.{host}"),
            Check(
                op="matches",
                id="auto stop",
                kind="job",
                name=start,
                path="environment.auto_stop_in",
                value=f"{days} days?",
            ),
            references("job", start, "environment.on_stop", "job", stop),
            equals("job", stop, "environment.action", "stop"),
            by_hand(stop),
            contains("job", start, "rules[0].if", "merge_request_event"),
            contains("job", stop, "rules[0].if", "merge_request_event"),
        ),
        variant=answer.replace("    - ./review.sh up", "    - ./review.sh up  ")
        .replace("  needs: []\n", "")
        .replace(f"\n{stop}:\n", f"\n{stop}:\n  when: manual\n")
        .replace("      when: manual\n", ""),
        habits=(
            ("    action: stop\n", ""),
            (f"    on_stop: {stop}\n", ""),
            ("      when: manual\n", ""),
        ),
    )


@family("shared-script", difficulty=3, held_out=True)
def shared_script(draw: Draw) -> Draft:
    template, setup, one, two = (
        draw.choice(("setup", "prepare", "before")),
        f"./{draw.identifier()}.sh",
        draw.word(),
        draw.word(),
    )
    answer = f".{template}:\n  script:\n    - {setup}\n\n" + "\n".join(
        f"{name}:\n  image: debian:12-slim\n  script:\n    - !reference [.{template}, script]\n    - make {name}\n"
        for name in (one, two)
    )
    return Draft(
        wordings=(
            f"Write a GitLab pipeline where {one} and {two} (debian:12-slim) first run the script of one hidden job, {setup}, by !reference, then make with their own name.",
            f"gitlab: hidden job with script {setup}; {one}, {two} on debian:12-slim: its script by !reference, then make <name>",
            f"Keep {setup} in one hidden job and pull it with !reference into the scripts of {one} (make {one}) and {two} (make {two}); image debian:12-slim.",
        ),
        answer=answer,
        reasoning=(f"a hidden job holds {setup}", f"{one} and {two} refer to it, then make"),
        checks=tuple(
            check
            for name in (one, two)
            for check in (
                identity("job", name),
                on_image(name, "debian:12-slim"),
                equals("job", name, "script", [setup, f"make {name}"]),
            )
        ),
        variant=(
            f"default:\n  image: debian:12-slim\n.{template}: &shared\n  - {setup}\n"
            + "".join(
                f"{name}:\n  script:\n    - *shared\n    - make {name}\n" for name in (one, two)
            )
        ),
        habits=(
            ("!reference [", "!ref ["),
            (f"!reference [.{template}, script]", f"!reference [{template}, script]"),
        ),
    )
