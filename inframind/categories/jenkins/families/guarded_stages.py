"""Task families about stages with a condition, a secret, a report or a build before them."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, equals, exists, identity, references
from inframind.categories.jenkins.families.blocks import (
    agent,
    block,
    does,
    pipeline,
    runs,
    stage,
    steps,
)
from inframind.types import Check

FAMILIES = Families("jenkins")
family = FAMILIES.family

IMAGES = ("maven:3.9.9", "node:22-alpine", "python:3.12-slim", "golang:1.23", "gradle:8.10")


@family("branch-only", difficulty=2)
def branch_only(draw: Draw) -> Draft:
    first, second, branch, one, two = (
        draw.word(),
        draw.word(),
        draw.name(),
        f"make {draw.word()}",
        f"./{draw.name()}.sh",
    )
    answer = pipeline(
        "agent any",
        block(
            "stages",
            stage(first, steps(f"sh '{one}'")),
            stage(second, f"when {{ branch '{branch}' }}", steps(f"sh '{two}'")),
        ),
    )
    return Draft(
        wordings=(
            f"Write a declarative Jenkinsfile on any agent: {first} runs {one}; {second} runs {two}, on the branch {branch} only.",
            f"jenkins, agent any: stage {first}: {one}; stage {second}: {two}, when branch {branch}",
            f"Every branch gets {one} in the stage {first}. Only {branch} also gets {two} in the stage {second}. Any agent will do.",
        ),
        answer=answer,
        reasoning=(f"{first} always", f"{second} when branch {branch}"),
        checks=(
            identity("stage", first),
            identity("stage", second),
            runs(first, one),
            runs(second, two),
            equals("stage", second, "when[0].branch", branch),
            equals("stage", first, "when", []),
        ),
        variant=answer.replace(
            f"when {{ branch '{branch}' }}", f'when {{\n    branch "{branch}"\n}}'
        ).replace(f"sh '{two}'", f'sh(script: "{two}")'),
        habits=(
            (f"branch '{branch}'", f"branchName '{branch}'"),
            (f"when {{ branch '{branch}' }}", f"if (branch == '{branch}')"),
            ("when {", "only {"),
        ),
    )


@family("test-report", difficulty=2)
def test_report(draw: Draw) -> Draft:
    name, command, folder, image = (
        draw.word(),
        f"make {draw.word()}",
        draw.word(),
        draw.choice(IMAGES),
    )
    answer = pipeline(
        f"agent {{ docker '{image}' }}",
        block(
            "stages",
            stage(
                name,
                steps(f"sh '{command}'"),
                block("post", block("always", f"junit '{folder}/*.xml'")),
            ),
        ),
    )
    return Draft(
        wordings=(
            f"Write a declarative Jenkinsfile in {image}: the stage {name} runs {command} and always publishes the JUnit reports {folder}/*.xml, also when it fails.",
            f"jenkins: docker {image}, stage {name}: {command}, post always junit {folder}/*.xml",
            f"Whatever {command} says, we want its JUnit files from {folder}/*.xml. Image {image}, stage {name}; the publishing belongs to that stage.",
        ),
        answer=answer,
        reasoning=(f"stage {name} in {image}: {command}", f"post always: junit {folder}/*.xml"),
        checks=(
            identity("stage", name),
            agent("docker.image", image),
            runs(name, command),
            does(name, "junit", "always", testResults=f"{folder}/*.xml"),
        ),
        variant=answer.replace(f"junit '{folder}/*.xml'", f"junit testResults: '{folder}/*.xml'"),
        habits=(
            ("always {", "finally {"),
            ("post {", "finally {"),
            (f"junit '{folder}", f"publishJUnit '{folder}"),
        ),
    )


@family("bound-secret", difficulty=2)
def bound_secret(draw: Draw) -> Draft:
    name, credential, variable, script = draw.word(), draw.name(), draw.constant(), draw.name()
    command = f'./{script}.sh "${variable}"'
    answer = pipeline(
        "agent any",
        block(
            "stages",
            stage(
                name,
                steps(
                    block(
                        f"withCredentials([string(credentialsId: '{credential}', variable: '{variable}')])",
                        f"sh '{command}'",
                    )
                ),
            ),
        ),
    )
    return Draft(
        wordings=(
            f"Write a declarative Jenkinsfile on any agent whose stage {name} binds the secret text {credential} to {variable} with withCredentials and runs {command} in it.",
            f"jenkins, any agent, stage {name}: withCredentials string {credential} -> {variable}; sh {command}",
            f"{script}.sh takes a secret: {command}. Bind the credentials {credential} (secret text) to {variable} around it, nowhere else. Stage {name}, any agent.",
        ),
        answer=answer,
        reasoning=(f"bind {credential} to {variable}", f"run {command} inside"),
        checks=(
            identity("stage", name),
            runs(name, command),
            exists(
                "step",
                "withCredentials",
                f"bindings[?string.credentialsId == '{credential}' && string.variable == '{variable}']",
            ),
            Check(
                op="contains",
                id="inside",
                kind="step",
                name="sh",
                where={"stage": name, "script": command},
                path="inside",
                value="withCredentials",
            ),
        ),
        variant=answer.replace(
            f"string(credentialsId: '{credential}', variable: '{variable}')",
            f'string(variable: "{variable}", credentialsId: "{credential}")',
        ),
        habits=(
            (f"string(credentialsId: '{credential}'", f"string(id: '{credential}'"),
            ("withCredentials(", "withCredential("),
            (f"variable: '{variable}'", f"name: '{variable}'"),
        ),
    )


@family("secret-environment", difficulty=2)
def secret_environment(draw: Draw) -> Draft:
    name, variable, credential, key, value, script = (
        draw.word(),
        draw.constant(),
        draw.name(),
        draw.constant(),
        draw.word(),
        draw.name(),
    )
    answer = pipeline(
        "agent any",
        block("environment", f"{variable} = credentials('{credential}')", f"{key} = '{value}'"),
        block("stages", stage(name, steps(f"sh './{script}.sh'"))),
    )
    return Draft(
        wordings=(
            f"Write a declarative Jenkinsfile, any agent, with the environment {variable} from the credentials {credential} and {key} set to {value}; the stage {name} runs ./{script}.sh.",
            f"jenkins env: {variable}=credentials({credential}), {key}={value}; agent any, stage {name}: ./{script}.sh",
            f"./{script}.sh reads {variable} (Jenkins credentials {credential}) and {key} ({value}) from the environment of the whole pipeline. Run it in the stage {name} on any agent.",
        ),
        answer=answer,
        reasoning=(
            f"{variable} from credentials {credential}",
            f"{key} is {value}",
            f"stage {name}",
        ),
        checks=(
            identity("stage", name),
            equals("pipeline", None, f"environment.{variable}", {"credentials": credential}),
            equals("pipeline", None, f"environment.{key}", value),
            runs(name, f"./{script}.sh"),
        ),
        variant=pipeline(
            "agent any",
            block("stages", stage(name, steps(f"sh './{script}.sh'"))),
            block("environment", f'{key} = "{value}"', f'{variable} = credentials("{credential}")'),
        ),
        habits=(
            (f"credentials('{credential}')", f"'{credential}'"),
            ("environment {", "env {"),
            (f"{key} = '{value}'", f"{key} = {value}"),
        ),
    )


@family("choice-guard", difficulty=2)
def choice_guard(draw: Draw) -> Draft:
    name, parameter, one, two, command = (
        draw.word(),
        draw.constant(),
        draw.word(),
        draw.word(),
        f"./{draw.name()}.sh",
    )
    answer = pipeline(
        "agent any",
        block(
            "parameters",
            f"choice(name: '{parameter}', choices: ['{one}', '{two}'], description: '')",
        ),
        block(
            "stages",
            stage(
                name,
                f"when {{ expression {{ params.{parameter} == '{two}' }} }}",
                steps(f"sh '{command}'"),
            ),
        ),
    )
    return Draft(
        wordings=(
            f"Write a declarative Jenkinsfile on any agent with the choice parameter {parameter} ({one} or {two}); the stage {name} runs {command} only when params.{parameter} is {two}.",
            f"jenkins: choice {parameter} [{one}, {two}], agent any, stage {name} when params.{parameter} == '{two}': sh {command}",
            f"Let people pick {parameter}: {one} (first) or {two}. With {two}, and only then (params.{parameter}), the stage {name} runs {command}. Any agent.",
        ),
        answer=answer,
        reasoning=(f"choice {parameter}: {one}, {two}", f"{name} when it is {two}"),
        checks=(
            identity("stage", name),
            equals("parameter", parameter, "type", "choice"),
            equals("parameter", parameter, "choices", [one, two]),
            references("stage", name, "when", "parameter", parameter),
            Check(
                op="any_of",
                id="condition",
                checks=(
                    Check(
                        op="matches",
                        kind="stage",
                        name=name,
                        path="when[0].expression",
                        value=rf"""(return )?\(?params\.{parameter} == ["']{two}["']\)?;?""",
                    ),
                    Check(
                        op="matches",
                        kind="stage",
                        name=name,
                        path="when[0].equals.expected",
                        value=two,
                    ),
                ),
            ),
            runs(name, command),
        ),
        variant=answer.replace(
            f"expression {{ params.{parameter} == '{two}' }}",
            f"expression {{ return params.{parameter} == '{two}' }}",
        ),
        habits=(
            (f"['{one}', '{two}']", f"'{one}, {two}'"),
            ("choices:", "options:"),
            (f"params.{parameter} ==", f"param.{parameter} =="),
        ),
    )


@family("upstream-build", difficulty=2)
def upstream_build(draw: Draw) -> Draft:
    name, job, parameter, value, retries = (
        draw.word(),
        draw.name(),
        draw.constant(),
        draw.word(),
        draw.integer(2, 4),
    )
    answer = pipeline(
        "agent none",
        block(
            "stages",
            stage(
                name,
                steps(
                    block(
                        f"retry({retries})",
                        f"build job: '{job}', parameters: [string(name: '{parameter}', value: '{value}')], wait: true",
                    )
                ),
            ),
        ),
    )
    return Draft(
        wordings=(
            f"Write a declarative Jenkinsfile without an agent whose stage {name} starts the job {job} with the string parameter {parameter}={value}, waits for it (wait: true), and tries {retries} times.",
            f"jenkins agent none, stage {name}: retry {retries}: build job {job}, string {parameter}={value}, wait true",
            f"Trigger {job} with {parameter} as {value} (a string parameter) from the stage {name} and wait for its end; retry up to {retries} times. No agent is needed.",
        ),
        answer=answer,
        reasoning=(f"build {job} with {parameter}={value}", f"retry {retries} times, no agent"),
        checks=(
            identity("stage", name),
            agent("none", True),
            does(name, "build", job=job),
            does(name, "retry", count=retries),
            Check(
                op="equals",
                id="parameters",
                kind="step",
                name="build",
                path="parameters",
                value=[{"string": {"name": parameter, "value": value}}],
            ),
            Check(
                op="contains", id="inside", kind="step", name="build", path="inside", value="retry"
            ),
            Check(op="equals", id="waits", kind="step", name="build", path="wait", value=True),
        ),
        variant=answer.replace(
            f"build job: '{job}', parameters:", f"build wait: true, job: '{job}', parameters:"
        ).replace(", wait: true", ""),
        habits=(
            (f"build job: '{job}'", f"trigger job: '{job}'"),
            (f"retry({retries})", f"retry('{retries}')"),
            ("wait: true", "wait: false"),
        ),
    )
