"""Task families of pipelines with several stages: difficulty 3."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, equals, identity
from inframind.categories.jenkins.families.blocks import (
    agent,
    block,
    does,
    limited,
    pipeline,
    runs,
    stage,
    steps,
)
from inframind.types import Check

FAMILIES = Families("jenkins")
family = FAMILIES.family


@family("handed-over-files", difficulty=3)
def handed_over_files(draw: Draw) -> Draft:
    build, deploy, stash, folder, label = (
        draw.word(),
        draw.word(),
        draw.name(),
        draw.word(),
        draw.name(),
    )
    answer = pipeline(
        "agent none",
        block(
            "stages",
            stage(
                build,
                f"agent {{ label '{label}' }}",
                steps(f"sh 'make {folder}'", f"stash name: '{stash}', includes: '{folder}/**'"),
            ),
            stage(deploy, "agent any", steps(f"unstash '{stash}'", f"sh './deploy.sh {folder}'")),
        ),
    )
    return Draft(
        wordings=(
            f"Write a declarative Jenkinsfile without a global agent: {build} on the label {label} runs make {folder} and stashes {folder}/** as {stash}; {deploy} on any agent unstashes it and runs ./deploy.sh {folder}.",
            f"jenkins agent none; {build} (label {label}): make {folder}, stash {stash} {folder}/**; {deploy} (any): unstash {stash}, ./deploy.sh {folder}",
            f"What {build} makes with make {folder} on {label} must reach {deploy}, which runs on any agent: stash {folder}/** under {stash}, unstash it there, then ./deploy.sh {folder}. No agent for the whole pipeline.",
        ),
        answer=answer,
        reasoning=(f"{build} on {label} stashes {stash}", f"{deploy} unstashes it"),
        checks=(
            identity("stage", build),
            identity("stage", deploy),
            agent("none", True),
            equals("stage", build, "agent.label", label),
            equals("stage", deploy, "agent", {"any": True}),
            runs(build, f"make {folder}"),
            does(build, "stash", name=stash, includes=f"{folder}/**"),
            does(deploy, "unstash", name=stash),
            runs(deploy, f"./deploy.sh {folder}"),
        ),
        variant=answer.replace(f"unstash '{stash}'", f"unstash name: '{stash}'").replace(
            f"stash name: '{stash}', includes: '{folder}/**'\n",
            f"stash(includes: '{folder}/**', name: '{stash}')\n",
        ),
        habits=(
            (f"unstash '{stash}'", f"unstash '{stash}-files'"),
            ("agent any", "agent none"),
            ("stash name:", "save name:"),
        ),
    )


@family("parallel-checks", difficulty=3)
def parallel_checks(draw: Draw) -> Draft:
    outer, one, two, label, minutes = (
        draw.word(),
        draw.word(),
        draw.word(),
        draw.name(),
        draw.choice((10, 20, 30)),
    )
    answer = pipeline(
        f"agent {{ label '{label}' }}",
        block("options", f"timeout(time: {minutes}, unit: 'MINUTES')"),
        block(
            "stages",
            stage(
                outer,
                "failFast true",
                block(
                    "parallel",
                    stage(one, steps(f"sh 'make {one}'")),
                    stage(two, steps(f"sh 'make {two}'")),
                ),
            ),
        ),
    )
    return Draft(
        wordings=(
            f"Write a declarative Jenkinsfile on {label}, limited to {minutes} minutes: the stage {outer} runs {one} (make {one}) and {two} (make {two}) in parallel and stops at the first failure.",
            f"jenkins label {label}, timeout {minutes} MINUTES, stage {outer} failFast parallel: {one} make {one} | {two} make {two}",
            f"Under {outer}, {one} and {two} run side by side on {label}, each with make and its name; if one fails the other is stopped. All of it within {minutes} minutes.",
        ),
        answer=answer,
        reasoning=(
            f"{outer} has {one} and {two} in parallel, failFast",
            f"timeout {minutes} minutes on {label}",
        ),
        checks=(
            identity("stage", outer),
            identity("stage", one),
            identity("stage", two),
            agent("label", label),
            limited(minutes),
            *(equals("stage", name, "[parent, parallel]", [outer, True]) for name in (one, two)),
            Check(
                op="any_of",
                id="failFast",
                checks=(
                    equals("stage", outer, "failFast", True),
                    equals("pipeline", None, "options.parallelsAlwaysFailFast", True),
                ),
            ),
            runs(one, f"make {one}"),
            runs(two, f"make {two}"),
        ),
        variant=answer.replace("        failFast true\n", "")
        .replace("'MINUTES')\n", "'MINUTES')\n        parallelsAlwaysFailFast()\n")
        .replace("            failFast true\n", ""),
        habits=(
            ("parallel {", "stages {"),
            ("failFast true", "failFast 'yes please'"),
            ("unit: 'MINUTES'", "unit: 'MINUTE'"),
        ),
    )


@family("platform-matrix", difficulty=3)
def platform_matrix(draw: Draw) -> Draft:
    outer, inner, axis, one, two = (
        draw.word(),
        draw.word(),
        draw.constant(),
        draw.word(),
        draw.word(),
    )
    script = draw.name()
    command = f'./{script}.sh "${axis}"'
    answer = pipeline(
        "agent any",
        block(
            "stages",
            stage(
                outer,
                block(
                    "matrix",
                    block("axes", block("axis", f"name '{axis}'", f"values '{one}', '{two}'")),
                    block("stages", stage(inner, steps(f"sh '{command}'"))),
                ),
            ),
        ),
    )
    return Draft(
        wordings=(
            f"Write a declarative Jenkinsfile, any agent, with a matrix in the stage {outer}: for {axis} = {one} and {two} the stage {inner} runs {command}.",
            f"jenkins matrix stage {outer}: axis {axis} = {one}, {two}; inner stage {inner}: sh {command}; agent any",
            f"The stage {inner} ({command}) must run for every {axis}, which is {one} or {two}. Use a matrix in the stage {outer}; any agent.",
        ),
        answer=answer,
        reasoning=(f"matrix of {outer} over {axis}: {one}, {two}", f"{inner} runs {command}"),
        checks=(
            identity("stage", outer),
            identity("stage", inner),
            equals("stage", outer, "matrix", {axis: [one, two]}),
            equals("stage", inner, "parent", outer),
            runs(inner, command),
        ),
        variant=answer.replace(f"name '{axis}'", f'name "{axis}"')
        .replace(f"values '{one}', '{two}'", f'values "{one}", "{two}"')
        .replace(f"sh '{command}'", f"sh(script: '{command}')"),
        habits=(
            (f"values '{one}', '{two}'", f"values ['{one}', '{two}']"),
            ("axes {", "axis {"),
            ("matrix {", "strategy {"),
        ),
    )


@family("asked-release", difficulty=3, held_out=True)
def asked_release(draw: Draw) -> Draft:
    build, release, group, branch, script = (
        draw.word(),
        draw.word(),
        draw.name(),
        draw.name(),
        draw.name(),
    )
    question = f"Release {script}?"
    answer = pipeline(
        "agent any",
        block(
            "stages",
            stage(build, steps(f"sh 'make {build}'")),
            stage(
                release,
                block("when", "beforeInput true", f"branch '{branch}'"),
                block("input", f"message '{question}'", "ok 'Release'", f"submitter '{group}'"),
                steps(f"sh './{script}.sh'"),
            ),
        ),
    )
    return Draft(
        wordings=(
            f"Write a declarative Jenkinsfile, any agent: {build} runs make {build}; {release} runs ./{script}.sh on the branch {branch} only, after somebody of {group} has said Release (ok) to the question '{question}'. Ask only on that branch (beforeInput).",
            f"jenkins, any agent: {build}: make {build}; {release}: when branch {branch} beforeInput; input '{question}' ok Release submitter {group}; ./{script}.sh",
            f"After {build} (make {build}), {release} asks {group} '{question}' with the button Release, and then runs ./{script}.sh. Both question and stage are for {branch} only: test that before the input. Any agent.",
        ),
        answer=answer,
        reasoning=(f"{build} first", f"{release} on {branch}, asked of {group}", f"./{script}.sh"),
        checks=(
            identity("stage", build),
            identity("stage", release),
            runs(build, f"make {build}"),
            runs(release, f"./{script}.sh"),
            Check(
                op="contains",
                id="branch",
                kind="stage",
                name=release,
                path="when",
                value={"branch": branch},
            ),
            Check(
                op="contains",
                id="beforeInput",
                kind="stage",
                name=release,
                path="when",
                value={"beforeInput": True},
            ),
            equals("stage", release, "input.message", question),
            equals("stage", release, "input.ok", "Release"),
            equals("stage", release, "input.submitter", group),
        ),
        variant=answer.replace("    beforeInput true\n", "", 1)
        .replace(f"branch '{branch}'\n", f"branch '{branch}'\n                beforeInput true\n")
        .replace("ok 'Release'", 'ok "Release"')
        .replace("                    beforeInput true", "                beforeInput true"),
        habits=(
            ("message '", "text '"),
            (f"submitter '{group}'", f"approver '{group}'"),
            ("beforeInput true", "beforeInput 'yes'"),
        ),
    )


@family("notified-team", difficulty=3)
def notified_team(draw: Draw) -> Draft:
    name, host, team, command, folder = (
        draw.word(),
        draw.domain(),
        draw.word(),
        f"make {draw.word()}",
        draw.word(),
    )
    mail = f"mail to: '{team}@{host}', subject: 'Build failed', body: 'See the log'"
    answer = pipeline(
        "agent any",
        block("stages", stage(name, steps(f"sh '{command}'"))),
        block(
            "post",
            block("success", f"archiveArtifacts artifacts: '{folder}/**', fingerprint: true"),
            block("failure", mail),
            block("cleanup", "deleteDir()"),
        ),
    )
    return Draft(
        wordings=(
            f"Write a declarative Jenkinsfile, any agent: {name} runs {command}. After success archive {folder}/** with fingerprints, after failure mail {team}@{host} (subject 'Build failed', body 'See the log'), and at the very end (cleanup) delete the directory.",
            f"jenkins any agent: {name}: {command}; post success archiveArtifacts {folder}/** fingerprint; failure mail {team}@{host} 'Build failed' 'See the log'; cleanup deleteDir",
            f"{command} in the stage {name}, on any agent. Good builds leave {folder}/** as fingerprinted artifacts; bad ones write to {team}@{host}, subject 'Build failed', body 'See the log'. Clean up with deleteDir in the cleanup condition.",
        ),
        answer=answer,
        reasoning=(
            f"{name} runs {command}",
            f"success archives {folder}/**",
            f"failure mails {team}@{host}, cleanup",
        ),
        checks=(
            identity("stage", name),
            runs(name, command),
            does("", "archiveArtifacts", "success", artifacts=f"{folder}/**", fingerprint=True),
            does(
                "",
                "mail",
                "failure",
                to=f"{team}@{host}",
                subject="Build failed",
                body="See the log",
            ),
            does("", "deleteDir", "cleanup"),
        ),
        variant=answer.replace(
            f"archiveArtifacts artifacts: '{folder}/**', fingerprint: true",
            f"archiveArtifacts(fingerprint: true, artifacts: '{folder}/**')",
        ).replace(mail, mail.replace(", ", ",\n     ")),
        habits=(("cleanup {", "finally {"), ("failure {", "failed {"), ("mail to:", "email to:")),
    )
