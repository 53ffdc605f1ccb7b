"""Task families about single directives: agents, triggers, parameters, options."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, equals, identity
from inframind.categories.jenkins.families.blocks import (
    agent,
    block,
    limited,
    pipeline,
    runs,
    stage,
    steps,
)

FAMILIES = Families("jenkins")
family = FAMILIES.family

IMAGES = ("maven:3.9.9", "node:22-alpine", "python:3.12-slim", "golang:1.23", "gradle:8.10")


@family("shell-command", difficulty=1)
def shell_command(draw: Draw) -> Draft:
    name, label, command = draw.word(), draw.name(), f"make {draw.word()}"
    answer = pipeline(
        f"agent {{ label '{label}' }}", block("stages", stage(name, steps(f"sh '{command}'")))
    )
    return Draft(
        wordings=(
            f"Write a declarative Jenkinsfile that runs {command} in the stage {name} on an agent with the label {label}.",
            f"jenkins declarative: agent label {label}, stage {name}: sh {command}",
            f"Our agents labelled {label} should run {command}. Call the stage {name}.",
        ),
        answer=answer,
        reasoning=(f"agent {label}", f"stage {name} runs {command}"),
        checks=(identity("stage", name), agent("label", label), runs(name, command)),
        variant=f'pipeline {{\n  agent {{\n    label "{label}"\n  }}\n  stages {{\n    stage("{name}") {{\n      steps {{\n        sh(script: \'{command}\')\n      }}\n    }}\n  }}\n}}\n',
        habits=(
            ("pipeline {", "node {"),
            ("    sh '", "    run '"),
            (f"agent {{ label '{label}' }}", f"agent '{label}'"),
        ),
    )


@family("container-agent", difficulty=1)
def container_agent(draw: Draw) -> Draft:
    name, image, command = draw.word(), draw.choice(IMAGES), f"./{draw.name()}.sh"
    answer = pipeline(
        f"agent {{ docker '{image}' }}", block("stages", stage(name, steps(f"sh '{command}'")))
    )
    return Draft(
        wordings=(
            f"Write a declarative Jenkins pipeline that runs {command} in a container of {image}; the stage is called {name}.",
            f"jenkins: docker agent {image}, stage {name}, sh {command}",
            f"{command} needs {image}. Let Jenkins run it in that image, as the stage {name}.",
        ),
        answer=answer,
        reasoning=(f"docker agent {image}", f"stage {name} runs {command}"),
        checks=(identity("stage", name), agent("docker.image", image), runs(name, command)),
        variant=pipeline(
            block("agent", block("docker", f"image '{image}'")),
            block("stages", stage(name, steps(f'sh "{command}"'))),
        ),
        habits=(
            (f"docker '{image}'", f"image '{image}'"),
            (f"agent {{ docker '{image}' }}", "agent any"),
            ("stages {", "steps {"),
        ),
    )


@family("nightly", difficulty=1)
def nightly(draw: Draw) -> Draft:
    name, hour, command = draw.word(), draw.integer(0, 5), f"./{draw.identifier()}.sh"
    answer = pipeline(
        "agent any",
        f"triggers {{ cron('H {hour} * * *') }}",
        block("stages", stage(name, steps(f"sh '{command}'"))),
    )
    return Draft(
        wordings=(
            f"Write a declarative Jenkinsfile that runs {command} every night in the hour {hour}, at a hashed minute, in the stage {name} on any agent.",
            f"jenkins cron 'H {hour} * * *', agent any, stage {name}: sh {command}",
            f"Each day, somewhere in the hour {hour} (H for the minute), Jenkins shall run {command}. Stage {name}, any agent.",
        ),
        answer=answer,
        reasoning=(f"cron H {hour} * * *", f"stage {name} runs {command}"),
        checks=(
            identity("stage", name),
            equals("pipeline", None, "triggers.cron", f"H {hour} * * *"),
            agent("any", True),
            runs(name, command),
        ),
        variant=pipeline(
            "agent any",
            block("stages", stage(name, steps(f"sh script: '{command}'"))),
            block("triggers", f'cron "H {hour} * * *"'),
        ),
        habits=(
            (f"H {hour} * * *", f"H {hour} * *"),
            ("triggers {", "trigger {"),
            (f"cron('H {hour} * * *')", f"schedule('H {hour} * * *')"),
        ),
    )


@family("string-parameter", difficulty=1)
def string_parameter(draw: Draw) -> Draft:
    name, parameter, default, script = draw.word(), draw.constant(), draw.word(), draw.name()
    command = f'./{script}.sh "${parameter}"'
    answer = pipeline(
        "agent any",
        block(
            "parameters", f"string(name: '{parameter}', defaultValue: '{default}', description: '')"
        ),
        block("stages", stage(name, steps(f"sh '{command}'"))),
    )
    return Draft(
        wordings=(
            f"Write a declarative Jenkinsfile with the string parameter {parameter}, default {default}; the stage {name} hands it to the shell: {command}. Any agent.",
            f"jenkins: string parameter {parameter}={default}, agent any, stage {name}: {command}",
            f"People should choose {parameter} when they start the job ({default} unless they say otherwise). The stage {name} then runs {command} on any agent.",
        ),
        answer=answer,
        reasoning=(
            f"string parameter {parameter}, default {default}",
            f"stage {name} runs {command}",
        ),
        checks=(
            identity("stage", name),
            identity("parameter", parameter),
            equals("parameter", parameter, "type", "string"),
            equals("parameter", parameter, "defaultValue", default),
            runs(name, command),
        ),
        variant=answer.replace(", description: ''", "").replace(
            f"sh '{command}'", f"sh(script: '{command}')"
        ),
        habits=(
            ("defaultValue:", "default:"),
            ("string(name:", "param(name:"),
            (f"name: '{parameter}', ", ""),
        ),
    )


@family("time-limit", difficulty=1, held_out=True)
def time_limit(draw: Draw) -> Draft:
    name, minutes, builds, command = (
        draw.word(),
        draw.choice((10, 15, 20, 30, 45)),
        draw.choice((5, 10, 20, 50)),
        f"make {draw.word()}",
    )
    answer = pipeline(
        "agent any",
        block(
            "options",
            f"timeout(time: {minutes}, unit: 'MINUTES')",
            f"buildDiscarder(logRotator(numToKeepStr: '{builds}'))",
        ),
        block("stages", stage(name, steps(f"sh '{command}'"))),
    )
    return Draft(
        wordings=(
            f"Write a declarative Jenkinsfile on any agent that stops after {minutes} minutes and keeps {builds} builds; the stage {name} runs {command}.",
            f"jenkins options: timeout {minutes} MINUTES, keep {builds} builds; agent any, stage {name}: sh {command}",
            f"{command} (stage {name}, any agent) may take {minutes} minutes, and only the last {builds} builds are worth keeping.",
        ),
        answer=answer,
        reasoning=(
            f"timeout of {minutes} minutes, {builds} builds",
            f"stage {name} runs {command}",
        ),
        checks=(
            identity("stage", name),
            limited(minutes),
            equals("pipeline", None, "options.buildDiscarder.logRotator.numToKeepStr", str(builds)),
            runs(name, command),
        ),
        variant=answer.replace(
            f"timeout(time: {minutes}, unit: 'MINUTES')",
            f"timeout time: {minutes}, unit: 'MINUTES'",
        ).replace("options {", "options  {"),
        habits=(
            ("unit: 'MINUTES'", "unit: 'minutes'"),
            ("options {", "option {"),
            (f"time: {minutes}", f"minutes: {minutes}"),
        ),
    )
