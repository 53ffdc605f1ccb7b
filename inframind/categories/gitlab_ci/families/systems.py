"""Task families with small systems of jobs, up to whole deliveries: difficulty 4 and 5."""

from inframind.bench.draw import Draw
from inframind.bench.family import (
    Draft,
    Families,
    absent,
    contains,
    equals,
    exists,
    identity,
    references,
)
from inframind.categories.gitlab_ci.families.checks import (
    DEFAULT_BRANCH,
    LOGIN,
    MERGE_REQUEST,
    by_hand,
    in_stage,
    keeps,
    on_branch,
    on_default_branch,
    on_image,
    runs,
)
from inframind.types import Check

FAMILIES = Families("gitlab-ci")
family = FAMILIES.family

LOGS_IN = "[before_script, script][][] | [?contains(@, '--password-stdin')]"
DEPLOY = './deploy.sh "$CI_ENVIRONMENT_NAME" "$CI_COMMIT_SHORT_SHA"'


@family("child-pipeline", difficulty=4)
def child_pipeline(draw: Draw) -> Draft:
    make, run, project, branch = draw.word(), draw.word(), draw.name(), draw.name()
    follow = draw.word()
    answer = (
        f"stages: [build, test, deploy]\n\n{make}:\n  stage: build\n  image: python:3.12-slim\n  script:\n    - python generate.py > child.yml\n"
        f"  artifacts:\n    paths:\n      - child.yml\n\n{run}:\n  stage: test\n  needs: [{make}]\n  trigger:\n    include:\n"
        f"      - artifact: child.yml\n        job: {make}\n    strategy: depend\n\n{follow}:\n  stage: deploy\n  needs: [{run}]\n  trigger:\n"
        f"    project: platform/{project}\n    branch: {branch}\n"
    )
    return Draft(
        wordings=(
            f"Write a GitLab pipeline: {make} (build, python:3.12-slim) runs python generate.py > child.yml and keeps child.yml; {run} (test) triggers it as a child pipeline and waits for it (strategy depend); then {follow} (deploy) triggers platform/{project} on {branch}.",
            f"gitlab: {make} (build, python:3.12-slim, python generate.py > child.yml, artifact child.yml) -> {run} (test, trigger artifact child.yml, strategy depend) -> {follow} (deploy, trigger project platform/{project} branch {branch}); use needs",
            f"Generate our child pipeline with python generate.py > child.yml in {make} (python:3.12-slim, stage build), run it from {run} in test and wait, and afterwards let {follow} in deploy start the branch {branch} of platform/{project}. Chain them with needs.",
        ),
        answer=answer,
        reasoning=(
            f"{make} generates child.yml",
            f"{run} triggers it, strategy depend",
            f"{follow} triggers platform/{project} on {branch}",
        ),
        checks=(
            identity("job", make),
            identity("job", run),
            identity("job", follow),
            in_stage(make, "build"),
            in_stage(run, "test"),
            in_stage(follow, "deploy"),
            on_image(make, "python:3.12-slim"),
            runs(make, "python generate.py > child.yml"),
            contains("job", make, "artifacts.paths", "child.yml"),
            contains("job", run, "trigger.include", {"artifact": "child.yml", "job": make}),
            equals("job", run, "trigger.strategy", "depend"),
            references("job", run, "needs", "job", make),
            references("job", follow, "needs", "job", run),
            equals("job", follow, "trigger.project", f"platform/{project}"),
            equals("job", follow, "trigger.branch", branch),
        ),
        variant=answer.replace("stages: [build, test, deploy]\n\n", "").replace(
            f"needs: [{make}]", f"needs:\n    - job: {make}"
        ),
        habits=(
            ("    strategy: depend\n", ""),
            (f"      - artifact: child.yml\n        job: {make}\n", "      - local: child.yml\n"),
            (f"  needs: [{run}]\n", ""),
        ),
    )


@family("branch-and-merge-request", difficulty=4)
def branch_and_merge_request(draw: Draw) -> Draft:
    lint, test, deploy, name, site = draw.word(), draw.word(), draw.word(), draw.name(), draw.name()
    answer = (
        f"workflow:\n  name: {name}\n  rules:\n    - if: {MERGE_REQUEST}\n    - if: {DEFAULT_BRANCH}\n\nstages: [test, deploy]\n\n"
        f"default:\n  image: node:22-alpine\n  interruptible: true\n\n{lint}:\n  stage: test\n  needs: []\n  script:\n    - npm run {lint}\n\n"
        f"{test}:\n  stage: test\n  needs: []\n  script:\n    - npm run {test}\n\n{deploy}:\n  stage: deploy\n  needs: [{lint}, {test}]\n"
        f"  interruptible: false\n  script:\n    - npm run {deploy}\n  environment:\n    name: {site}\n  rules:\n    - if: {DEFAULT_BRANCH}\n      when: manual\n"
    )
    return Draft(
        wordings=(
            f"Write a GitLab pipeline called {name} for merge requests and the default branch (workflow rules), node:22-alpine, interruptible: {lint} and {test} in test run npm run with their name at once; {deploy} in deploy needs both, runs npm run {deploy} into the environment {site}, only on the default branch, by hand, not interruptible.",
            f"gitlab workflow {name} (MR + default branch); default node:22-alpine interruptible; test: {lint}, {test} (npm run <job>, needs []); deploy: {deploy} (npm run {deploy}, needs both, env {site}, default branch, manual, interruptible false)",
            f"Pipeline for a web project.\n---\nworkflow name: {name}; runs for merge requests and the default branch\nimage node:22-alpine, jobs interruptible\nstage test: {lint}, {test}, both at once, npm run plus the job's name\nstage deploy: {deploy}, needs both, npm run {deploy}, environment {site}, default branch only, manual, not interruptible",
        ),
        answer=answer,
        reasoning=(
            f"workflow {name}: merge requests and the default branch",
            f"{lint} and {test} at once",
            f"{deploy} by hand into {site}",
        ),
        checks=(
            identity("pipeline", name),
            exists("pipeline", name, "workflow.rules[?contains(if, 'merge_request_event')]"),
            exists("pipeline", name, "workflow.rules[?contains(if, '$CI_DEFAULT_BRANCH')]"),
            *(
                check
                for job in (lint, test)
                for check in (
                    in_stage(job, "test"),
                    runs(job, f"npm run {job}"),
                    absent("job", job, "needs"),
                )
            ),
            *(on_image(job, "node:22-alpine") for job in (lint, test, deploy)),
            equals("job", lint, "interruptible", True),
            equals("job", deploy, "interruptible", False),
            in_stage(deploy, "deploy"),
            runs(deploy, f"npm run {deploy}"),
            references("job", deploy, "needs", "job", lint),
            references("job", deploy, "needs", "job", test),
            equals("job", deploy, "environment.name", site),
            on_default_branch(deploy),
            by_hand(deploy),
        ),
        variant=answer.replace(f"environment:\n    name: {site}", f"environment: {site}").replace(
            "default:\n  image: node:22-alpine\n", "image: node:22-alpine\ndefault:\n"
        ),
        habits=(
            (f"    - if: {MERGE_REQUEST}\n", "    - if: merge_requests\n"),
            (
                f"{lint}:\n  stage: test\n  needs: []\n",
                f"{lint}:\n  stage: test\n  needs: [{test}]\n",
            ),
            (
                f"{test}:\n  stage: test\n  needs: []\n",
                f"{test}:\n  stage: test\n  needs: [{lint}]\n",
            ),
            ("      when: manual\n", ""),
            (f"needs: [{lint}, {test}]", f"needs: [{lint}]"),
        ),
    )


@family("tagged-release", difficulty=4)
def tagged_release(draw: Draw) -> Draft:
    build, publish, package, folder = draw.word(), draw.word(), draw.name(), draw.word()
    tagged = "$CI_COMMIT_TAG =~ /^v\\d+\\.\\d+\\.\\d+$/"
    answer = (
        f"stages: [build, release]\n\n{build}:\n  stage: build\n  image: golang:1.23\n  script:\n    - go build -o {folder}/{package} ./cmd/{package}\n"
        f"  artifacts:\n    paths:\n      - {folder}/\n    expire_in: never\n  rules:\n    - if: {tagged}\n\n{publish}:\n  stage: release\n"
        f'  image: registry.gitlab.com/gitlab-org/release-cli:v0.18.0\n  needs: [{build}]\n  script:\n    - echo "Release $CI_COMMIT_TAG"\n'
        f"  release:\n    tag_name: $CI_COMMIT_TAG\n    description: {package} $CI_COMMIT_TAG\n  rules:\n    - if: {tagged}\n"
    )
    return Draft(
        wordings=(
            f"Write a GitLab pipeline with build and release that only runs for tags matching {tagged.partition('=~ ')[2]}: {build} (golang:1.23) runs go build -o {folder}/{package} ./cmd/{package} and keeps {folder}/ forever; {publish} (registry.gitlab.com/gitlab-org/release-cli:v0.18.0) needs it and makes a release for $CI_COMMIT_TAG described as {package} $CI_COMMIT_TAG.",
            f"gitlab tags {tagged.partition('=~ ')[2]}: {build} (build, golang:1.23, go build -o {folder}/{package} ./cmd/{package}, artifact {folder}/ never expires) -> {publish} (release, release-cli:v0.18.0 of registry.gitlab.com/gitlab-org, needs {build}, release tag $CI_COMMIT_TAG, description '{package} $CI_COMMIT_TAG')",
            f"Release {package} on version tags.\n---\ntags: {tagged.partition('=~ ')[2]} only\nbuild: {build}, golang:1.23, go build -o {folder}/{package} ./cmd/{package}, artifact {folder}/, expires never\nrelease: {publish}, registry.gitlab.com/gitlab-org/release-cli:v0.18.0, needs {build}, tag $CI_COMMIT_TAG, description {package} $CI_COMMIT_TAG",
        ),
        answer=answer,
        reasoning=(
            f"{build} builds {folder}/{package} for version tags",
            f"{publish} needs it and makes the release",
        ),
        checks=(
            identity("job", build),
            identity("job", publish),
            equals("pipeline", None, "stages", ["build", "release"]),
            in_stage(build, "build"),
            in_stage(publish, "release"),
            on_image(build, "golang:1.23"),
            on_image(publish, "registry.gitlab.com/gitlab-org/release-cli:v0.18.0"),
            runs(build, f"go build -o {folder}/{package} ./cmd/{package}"),
            keeps(build, folder),
            equals("job", build, "artifacts.expire_in", "never"),
            equals("job", build, "rules[0].if", tagged),
            equals("job", publish, "rules[0].if", tagged),
            references("job", publish, "needs", "job", build),
            equals("job", publish, "release.tag_name", "$CI_COMMIT_TAG"),
            equals("job", publish, "release.description", f"{package} $CI_COMMIT_TAG"),
        ),
        variant=answer.replace(
            f"needs: [{build}]", f"needs:\n    - job: {build}\n      artifacts: true"
        ).replace(f"      - {folder}/\n", f"      - {folder}\n"),
        habits=(
            ("    tag_name: $CI_COMMIT_TAG\n", ""),
            ("stages: [build, release]\n\n", ""),
            (f"    - if: {tagged}\n\n", "    - if: $CI_COMMIT_TAG\n\n"),
        ),
    )


@family("reusable-component", difficulty=4, held_out=True)
def reusable_component(draw: Draw) -> Draft:
    scan, report, given, tool, folder = (
        draw.word(),
        draw.word(),
        draw.identifier(),
        draw.name(),
        draw.word(),
    )
    copies = draw.choice((2, 3, 4))
    answer = (
        f"spec:\n  inputs:\n    {given}:\n      default: test\n    copies:\n      type: number\n      default: {copies}\n---\n{scan}:\n"
        f"  stage: $[[ inputs.{given} ]]\n  image: alpine:3.20\n  parallel: $[[ inputs.copies ]]\n  script:\n    - ./{tool}.sh > {folder}/out.json\n"
        f"  artifacts:\n    paths:\n      - {folder}/\n\n{report}:\n  stage: $[[ inputs.{given} ]]\n  image: alpine:3.20\n  needs: [{scan}]\n"
        f"  script:\n    - cat {folder}/out.json\n"
    )
    return Draft(
        wordings=(
            f"Write a GitLab CI/CD component with the inputs {given} (default test) and copies (a number, default {copies}): {scan} and {report} stand in the stage that {given} names, alpine:3.20; {scan} runs copies times ./{tool}.sh > {folder}/out.json and keeps {folder}/, {report} needs it and runs cat {folder}/out.json.",
            f"gitlab component: inputs {given}=test, copies:number={copies}; {scan} (stage from {given}, parallel from copies, alpine:3.20, ./{tool}.sh > {folder}/out.json, artifact {folder}/) -> {report} (same stage, alpine:3.20, cat {folder}/out.json, needs {scan})",
            f"Make it reusable: the stage is the input {given} (test unless given), the parallelism the number copies ({copies}). {scan} calls ./{tool}.sh > {folder}/out.json and keeps {folder}/; {report} waits for it by needs and calls cat {folder}/out.json. Image alpine:3.20 for both.",
        ),
        answer=answer,
        reasoning=(
            f"header with the inputs {given} and copies",
            f"{scan} runs {copies} times",
            f"{report} needs {scan}",
        ),
        checks=(
            identity("job", scan),
            identity("job", report),
            equals("pipeline", None, f"inputs.{given}.default", "test"),
            equals("pipeline", None, "inputs.copies.type", "number"),
            equals("pipeline", None, "inputs.copies.default", copies),
            equals("job", scan, "parallel", copies),
            in_stage(scan, "test"),
            in_stage(report, "test"),
            on_image(scan, "alpine:3.20"),
            on_image(report, "alpine:3.20"),
            runs(scan, f"./{tool}.sh > {folder}/out.json"),
            keeps(scan, folder),
            runs(report, f"cat {folder}/out.json"),
            references("job", report, "needs", "job", scan),
        ),
        variant=answer.replace(
            "      default: test\n", "      type: string\n      default: test\n"
        ).replace(f"needs: [{scan}]", f"needs: [{{job: {scan}}}]"),
        habits=(
            (f"$[[ inputs.{given} ]]", f"${{{{ inputs.{given} }}}}"),
            ("---\n", ""),
            (f"      default: {copies}\n", ""),
        ),
    )


@family("service-delivery", difficulty=5)
def service_delivery(draw: Draw) -> Draft:
    lint, test, image, first, last = (draw.word() for _ in range(5))
    database, staging, production = draw.identifier(), draw.domain(), draw.domain()
    docker = 'docker build -t "$CI_REGISTRY_IMAGE:$CI_COMMIT_SHORT_SHA" .'
    answer = (
        "stages: [check, build, deploy]\n\ndefault:\n  image: python:3.12-slim\n  interruptible: true\n\n"
        f"{lint}:\n  stage: check\n  script:\n    - pip install ruff==0.6.9\n    - ruff check .\n\n"
        f"{test}:\n  stage: check\n  services:\n    - name: postgres:16\n      alias: db\n  variables:\n    POSTGRES_DB: {database}\n"
        "    POSTGRES_HOST_AUTH_METHOD: trust\n  script:\n    - pip install -r requirements.txt\n    - pytest --junitxml=report.xml\n"
        "  artifacts:\n    when: always\n    reports:\n      junit: report.xml\n\n"
        f"{image}:\n  stage: build\n  image: docker:27.3\n  services: [docker:27.3-dind]\n  needs: [{lint}, {test}]\n  before_script:\n    - {LOGIN}\n"
        f'  script:\n    - {docker}\n    - docker push "$CI_REGISTRY_IMAGE:$CI_COMMIT_SHORT_SHA"\n  rules:\n    - if: {DEFAULT_BRANCH}\n\n'
        '.deploy:\n  stage: deploy\n  image: alpine:3.20\n  interruptible: false\n  script:\n    - ./deploy.sh "$CI_ENVIRONMENT_NAME" "$CI_COMMIT_SHORT_SHA"\n\n'
        f"{first}:\n  extends: .deploy\n  needs: [{image}]\n  environment:\n    name: staging\n    url: https://{staging}\n  rules:\n    - if: {DEFAULT_BRANCH}\n\n"
        f"{last}:\n  extends: .deploy\n  needs: [{first}]\n  environment:\n    name: production\n    url: https://{production}\n  resource_group: production\n"
        f"  rules:\n    - if: {DEFAULT_BRANCH}\n      when: manual\n"
    )
    needed = ((image, lint), (image, test), (first, image), (last, first))
    return Draft(
        wordings=(
            f'Write a GitLab pipeline for a Python service, stages check, build, deploy, python:3.12-slim, interruptible. {lint}: ruff check . after installing ruff==0.6.9. {test}: pytest --junitxml=report.xml with postgres:16 as db (POSTGRES_DB {database}, auth method trust), the JUnit report kept always. {image}: on the default branch, needs both, docker:27.3 with docker:27.3-dind, logs in by --password-stdin, builds and pushes $CI_REGISTRY_IMAGE:$CI_COMMIT_SHORT_SHA. {first}: needs {image}, deploys to staging at https://{staging}. {last}: needs {first}, by hand, to production at https://{production}, one at a time (resource_group production). Both call ./deploy.sh "$CI_ENVIRONMENT_NAME" "$CI_COMMIT_SHORT_SHA" on alpine:3.20, on the default branch, not interruptible.',
            f'gitlab python service delivery\n---\nstages check, build, deploy; default python:3.12-slim, interruptible\n{lint} (check): pip install ruff==0.6.9; ruff check .\n{test} (check): postgres:16 as db, POSTGRES_DB={database}, POSTGRES_HOST_AUTH_METHOD=trust; pytest --junitxml=report.xml, junit report, always\n{image} (build, default branch): docker:27.3 + docker:27.3-dind, login --password-stdin, build and push $CI_REGISTRY_IMAGE:$CI_COMMIT_SHORT_SHA, needs {lint} and {test}\n{first} (deploy, default branch): staging, https://{staging}, needs {image}\n{last} (deploy, default branch, manual): production, https://{production}, needs {first}, resource_group production\ndeploys: alpine:3.20, ./deploy.sh "$CI_ENVIRONMENT_NAME" "$CI_COMMIT_SHORT_SHA", interruptible false',
            f'From check to production: in the stage check {lint} (ruff==0.6.9, ruff check .) and {test} (pytest --junitxml=report.xml, JUnit report even on failure, database {database} in postgres:16 called db with auth method trust); in build {image} (docker:27.3, docker:27.3-dind, --password-stdin, $CI_REGISTRY_IMAGE:$CI_COMMIT_SHORT_SHA, after both); in deploy {first} to staging (https://{staging}) after {image}, and {last} to production (https://{production}) after {first}, manual, in the resource group production. Deploys use alpine:3.20 and ./deploy.sh "$CI_ENVIRONMENT_NAME" "$CI_COMMIT_SHORT_SHA", are not interruptible, and like {image} run on the default branch only; all else is interruptible python:3.12-slim.',
        ),
        answer=answer,
        reasoning=(
            f"check: {lint} with ruff, {test} with postgres",
            f"build: {image} needs both, default branch",
            f"deploy: {first} to staging, {last} to production by hand",
        ),
        checks=(
            *(identity("job", name) for name in (lint, test, image, first, last)),
            equals("pipeline", None, "stages", ["check", "build", "deploy"]),
            *(references("job", source, "needs", "job", target) for source, target in needed),
            in_stage(lint, "check"),
            in_stage(test, "check"),
            in_stage(image, "build"),
            in_stage(first, "deploy"),
            in_stage(last, "deploy"),
            on_image(lint, "python:3.12-slim"),
            on_image(test, "python:3.12-slim"),
            on_image(image, "docker:27.3"),
            runs(lint, "ruff check ."),
            runs(test, "pytest --junitxml=report.xml"),
            contains("job", test, "services", {"name": "postgres:16", "alias": "db"}),
            equals("job", test, "variables.POSTGRES_DB", database),
            equals("job", test, "artifacts.reports.junit", "report.xml"),
            equals("job", test, "artifacts.when", "always"),
            contains("job", image, "services", {"name": "docker:27.3-dind"}),
            runs(image, docker),
            exists("job", image, LOGS_IN),
            *(on_default_branch(name) for name in (image, first, last)),
            *(on_image(name, "alpine:3.20") for name in (first, last)),
            *(equals("job", name, "interruptible", False) for name in (first, last)),
            equals("job", lint, "interruptible", True),
            equals("job", first, "environment", {"name": "staging", "url": f"https://{staging}"}),
            equals(
                "job", last, "environment", {"name": "production", "url": f"https://{production}"}
            ),
            by_hand(last),
            equals("job", last, "resource_group", "production"),
            *(runs(name, DEPLOY) for name in (first, last)),
        ),
        variant=answer.replace(
            "stages: [check, build, deploy]", "stages:\n  - check\n  - build\n  - deploy"
        )
        .replace("needs: [", "needs: ['")
        .replace(f"['{lint}, {test}]", f"[{lint}, {test}]")
        .replace(f"['{image}]", f"['{image}']")
        .replace(f"['{first}]", f"[{{job: {first}}}]"),
        habits=(
            (f"needs: [{first}]", f"needs: [{image}]"),
            ("      alias: db\n", ""),
            ("  resource_group: production\n", ""),
            ("  extends: .deploy\n", "  extends: deploy\n"),
        ),
    )


@family("terraform-delivery", difficulty=5)
def terraform_delivery(draw: Draw) -> Draft:
    check, plan, apply, scan = (draw.word() for _ in range(4))
    folder, group, branch = draw.word(), draw.name(), draw.name()
    begin = ['cd "$TF_ROOT"', "terraform init -input=false"]
    answer = (
        f'stages: [validate, plan, apply]\n\nvariables:\n  TF_IN_AUTOMATION: "true"\n  TF_ROOT: {folder}\n\ndefault:\n'
        '  image:\n    name: hashicorp/terraform:1.9.8\n    entrypoint: [""]\n  cache:\n    key: terraform\n    paths:\n      - $TF_ROOT/.terraform\n'
        '  before_script:\n    - cd "$TF_ROOT"\n    - terraform init -input=false\n\n'
        f"{check}:\n  stage: validate\n  script:\n    - terraform fmt -check -recursive\n    - terraform validate\n\n"
        f'{scan}:\n  stage: validate\n  image: aquasec/trivy:0.56.2\n  before_script: []\n  script:\n    - trivy config --exit-code 1 "$TF_ROOT"\n  allow_failure: true\n\n'
        f"{plan}:\n  stage: plan\n  needs: [{check}]\n  script:\n    - terraform plan -input=false -out=plan.tfplan\n  artifacts:\n    paths:\n"
        f"      - $TF_ROOT/plan.tfplan\n    expire_in: 7 days\n    access: developer\n  resource_group: {group}\n\n"
        f"{apply}:\n  stage: apply\n  needs: [{plan}]\n  script:\n    - terraform apply -input=false plan.tfplan\n  resource_group: {group}\n"
        f'  environment:\n    name: {group}\n  rules:\n    - if: $CI_COMMIT_BRANCH == "{branch}"\n      when: manual\n'
    )
    return Draft(
        wordings=(
            f'Write a GitLab pipeline for the Terraform folder {folder} (TF_ROOT; TF_IN_AUTOMATION is true), stages validate, plan, apply, hashicorp/terraform:1.9.8 with an empty entrypoint, $TF_ROOT/.terraform cached under the key terraform, and before every script cd "$TF_ROOT" and terraform init -input=false. {check}: terraform fmt -check -recursive and terraform validate. {scan}: aquasec/trivy:0.56.2 without that preparation, trivy config --exit-code 1 "$TF_ROOT", may fail. {plan}: needs {check}, terraform plan -input=false -out=plan.tfplan, keeps $TF_ROOT/plan.tfplan 7 days, for developers only. {apply}: needs {plan}, terraform apply -input=false plan.tfplan, by hand on the branch {branch}, environment {group}. Plan and apply share the resource group {group}.',
            f'gitlab terraform delivery\n---\nTF_ROOT={folder}, TF_IN_AUTOMATION=true; image hashicorp/terraform:1.9.8, entrypoint ""; cache terraform: $TF_ROOT/.terraform; before: cd "$TF_ROOT", terraform init -input=false\nvalidate: {check} (terraform fmt -check -recursive; terraform validate), {scan} (aquasec/trivy:0.56.2, no before_script, trivy config --exit-code 1 "$TF_ROOT", allow_failure)\nplan: {plan} (needs {check}, terraform plan -input=false -out=plan.tfplan, artifact $TF_ROOT/plan.tfplan, 7 days, access developer, resource group {group})\napply: {apply} (needs {plan}, terraform apply -input=false plan.tfplan, manual on branch {branch}, environment and resource group {group})',
            f'Terraform in {folder} goes through validate, plan and apply. Set TF_ROOT to it and TF_IN_AUTOMATION to true, take hashicorp/terraform:1.9.8 (entrypoint emptied), cache $TF_ROOT/.terraform with the key terraform, begin each job with cd "$TF_ROOT" and terraform init -input=false. {check} does terraform fmt -check -recursive and terraform validate; {scan} may fail, skips the beginning and does trivy config --exit-code 1 "$TF_ROOT" in aquasec/trivy:0.56.2; {plan} after {check} does terraform plan -input=false -out=plan.tfplan and keeps $TF_ROOT/plan.tfplan for 7 days with access developer; {apply} after {plan} does terraform apply -input=false plan.tfplan when someone starts it on {branch}, in the environment {group}. Only one of {plan} and {apply} at a time: resource group {group}.',
        ),
        answer=answer,
        reasoning=(
            f"defaults: terraform 1.9.8 in {folder}, init before every script",
            f"{check} and {scan} validate",
            f"{plan} keeps the plan, {apply} applies it by hand on {branch}",
        ),
        checks=(
            *(identity("job", name) for name in (check, scan, plan, apply)),
            equals("pipeline", None, "stages", ["validate", "plan", "apply"]),
            equals("pipeline", None, "variables.TF_ROOT", folder),
            equals("pipeline", None, "variables.TF_IN_AUTOMATION", "true"),
            *(on_image(name, "hashicorp/terraform:1.9.8") for name in (check, plan, apply)),
            equals("job", plan, "image.entrypoint", [""]),
            equals("job", plan, "cache[0].key", "terraform"),
            contains("job", plan, "cache[0].paths", "$TF_ROOT/.terraform"),
            *(equals("job", name, "before_script", begin) for name in (check, plan, apply)),
            in_stage(check, "validate"),
            in_stage(scan, "validate"),
            in_stage(plan, "plan"),
            in_stage(apply, "apply"),
            equals(
                "job", check, "script", ["terraform fmt -check -recursive", "terraform validate"]
            ),
            on_image(scan, "aquasec/trivy:0.56.2"),
            absent("job", scan, "before_script"),
            runs(scan, 'trivy config --exit-code 1 "$TF_ROOT"'),
            equals("job", scan, "allow_failure", True),
            runs(plan, "terraform plan -input=false -out=plan.tfplan"),
            contains("job", plan, "artifacts.paths", "$TF_ROOT/plan.tfplan"),
            equals("job", plan, "artifacts.access", "developer"),
            Check(
                op="matches",
                id="expire_in",
                kind="job",
                name=plan,
                path="artifacts.expire_in",
                value="(7 ?d(ay|ays)?|1 ?w(eek)?)",
            ),
            runs(apply, "terraform apply -input=false plan.tfplan"),
            references("job", plan, "needs", "job", check),
            references("job", apply, "needs", "job", plan),
            *(equals("job", name, "resource_group", group) for name in (plan, apply)),
            equals("job", apply, "environment.name", group),
            on_branch(apply, branch),
            by_hand(apply),
        ),
        variant=answer.replace("expire_in: 7 days", "expire_in: 1 week")
        .replace(f"environment:\n    name: {group}", f"environment: {group}")
        .replace('"true"', "true"),
        habits=(
            ('    entrypoint: [""]\n', ""),
            ("      when: manual\n", ""),
            (f"needs: [{plan}]", f"needs: [{check}]"),
            ("  before_script: []\n", ""),
        ),
    )
