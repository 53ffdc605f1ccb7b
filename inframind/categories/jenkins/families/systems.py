"""Task families of whole deliveries: difficulty 4 and 5."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, equals, identity, references
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


def contains_condition(name: str, condition: dict[str, str]) -> Check:
    """The stage has the condition among those of its `when`."""
    return Check(
        op="contains",
        id=f"{name} when {condition}",
        kind="stage",
        name=name,
        path="when",
        value=condition,
    )


@family("service-build", difficulty=4)
def service_build(draw: Draw) -> Draft:
    build, test, publish, jar, credential = (
        draw.word(),
        draw.word(),
        draw.word(),
        draw.name(),
        draw.name(),
    )
    branch, minutes = draw.name(), draw.choice((20, 30, 45))
    publish_command = './publish.sh "$USER" "$SECRET"'
    binding = f"usernamePassword(credentialsId: '{credential}', usernameVariable: 'USER', passwordVariable: 'SECRET')"
    answer = pipeline(
        "agent { docker 'maven:3.9.9' }",
        block("options", f"timeout(time: {minutes}, unit: 'MINUTES')", "disableConcurrentBuilds()"),
        block(
            "stages",
            stage(
                build,
                steps(
                    "sh 'mvn --batch-mode -DskipTests package'",
                    f"stash name: '{jar}', includes: 'target/*.jar'",
                ),
            ),
            stage(
                test,
                steps("sh 'mvn --batch-mode verify'"),
                block("post", block("always", "junit 'target/surefire-reports/*.xml'")),
            ),
            stage(
                publish,
                f"when {{ branch '{branch}' }}",
                steps(
                    f"unstash '{jar}'",
                    block(f"withCredentials([{binding}])", f"sh '{publish_command}'"),
                ),
            ),
        ),
    )
    return Draft(
        wordings=(
            f"Write a declarative Jenkinsfile in maven:3.9.9, {minutes} minutes at most, no concurrent builds. {build}: mvn --batch-mode -DskipTests package, then stash target/*.jar as {jar}. {test}: mvn --batch-mode verify, always with JUnit reports from target/surefire-reports/*.xml. {publish}, on the branch {branch} only: unstash {jar} and run {publish_command} with the username and password of {credential} bound to USER and SECRET.",
            f"jenkins maven service\n---\nagent docker maven:3.9.9; timeout {minutes} MINUTES; disableConcurrentBuilds\n{build}: mvn --batch-mode -DskipTests package; stash {jar} = target/*.jar\n{test}: mvn --batch-mode verify; post always junit target/surefire-reports/*.xml\n{publish} (branch {branch}): unstash {jar}; withCredentials usernamePassword {credential} -> USER, SECRET: {publish_command}",
            f"Three stages in maven:3.9.9, one build at a time, {minutes} minutes each build: {build} packages with mvn --batch-mode -DskipTests package and stashes target/*.jar ({jar}); {test} does mvn --batch-mode verify and always reports target/surefire-reports/*.xml to JUnit; {publish} unstashes {jar} and calls {publish_command} inside the credentials {credential} (usernamePassword into USER and SECRET), but only on {branch}.",
        ),
        answer=answer,
        reasoning=(f"{build} stashes {jar}", f"{test} always reports", f"{publish} on {branch} with {credential}"),
        checks=(
            identity("stage", build),
            identity("stage", test),
            identity("stage", publish),
            agent("docker.image", "maven:3.9.9"),
            limited(minutes),
            equals("pipeline", None, "options.disableConcurrentBuilds", True),
            runs(build, "mvn --batch-mode -DskipTests package"),
            does(build, "stash", name=jar, includes="target/*.jar"),
            runs(test, "mvn --batch-mode verify"),
            does(test, "junit", "always", testResults="target/surefire-reports/*.xml"),
            contains_condition(publish, {"branch": branch}),
            does(publish, "unstash", name=jar),
            runs(publish, publish_command),
            Check(
                op="equals", id="credentials", kind="step", name="withCredentials", path="bindings[0].usernamePassword",
                value={"credentialsId": credential, "usernameVariable": "USER", "passwordVariable": "SECRET"},
            ),
            Check(op="contains", id="inside", kind="step", name="sh", where={"script": publish_command}, path="inside", value="withCredentials"),
        ),
        variant=answer.replace("agent { docker 'maven:3.9.9' }", "agent { docker { image 'maven:3.9.9' } }").replace("junit 'target", "junit testResults: 'target").replace(f"unstash '{jar}'", f'unstash "{jar}"'),
        habits=((f"unstash '{jar}'", f"unstash '{jar}.jar'"), ("always {", "finally {"), (f"when {{ branch '{branch}' }}", "when { onlyBranch() }")),
    )  # fmt: skip


@family("chosen-deployment", difficulty=4)
def chosen_deployment(draw: Draw) -> Draft:
    check, deploy, verify, parameter, flag = (
        draw.word(),
        draw.word(),
        draw.word(),
        draw.constant(),
        draw.constant(),
    )
    one, two, label, script = draw.word(), draw.word(), draw.name(), draw.name()
    command, smoke = f'./{script}.sh "${parameter}"', f'./smoke.sh "${parameter}"'
    answer = pipeline(
        f"agent {{ label '{label}' }}",
        block(
            "parameters",
            f"choice(name: '{parameter}', choices: ['{one}', '{two}'], description: 'Where to')",
            f"booleanParam(name: '{flag}', defaultValue: true, description: 'Test afterwards')",
        ),
        block(
            "stages",
            stage(check, steps("checkout scm", f"sh 'make {check}'")),
            stage(deploy, steps(block(f"lock(resource: '{label}-deploy')", f"sh '{command}'"))),
            stage(
                verify,
                f"when {{ expression {{ params.{flag} }} }}",
                steps(block("retry(3)", f"sh '{smoke}'")),
            ),
        ),
    )
    return Draft(
        wordings=(
            f"Write a declarative Jenkinsfile on {label} with the choice {parameter} ({one}, {two}; 'Where to') and the boolean {flag} (true; 'Test afterwards'). {check}: checkout scm and make {check}. {deploy}: {command} while holding the lock {label}-deploy. {verify}: only if params.{flag}, {smoke} with three tries.",
            f"jenkins deployment\n---\nlabel {label}\nparameters: choice {parameter} [{one}, {two}] 'Where to'; boolean {flag} = true 'Test afterwards'\n{check}: checkout scm; make {check}\n{deploy}: lock resource {label}-deploy: {command}\n{verify} when params.{flag}: retry 3: {smoke}",
            f"People choose {parameter} ({one} or {two}, 'Where to') and tick {flag} ('Test afterwards', on by default). On {label}: {check} checks out scm and runs make {check}; {deploy} takes the lock on the resource {label}-deploy and runs {command}; {verify} runs {smoke}, up to three times, when params.{flag} is set.",
        ),
        answer=answer,
        reasoning=(
            f"choice {parameter}, boolean {flag}",
            f"{deploy} under the lock {label}-deploy",
            f"{verify} if {flag}, three tries",
        ),
        checks=(
            identity("stage", check),
            identity("stage", deploy),
            identity("stage", verify),
            agent("label", label),
            equals("parameter", parameter, "[type, choices]", ["choice", [one, two]]),
            equals("parameter", flag, "[type, defaultValue]", ["booleanParam", True]),
            does(check, "checkout"),
            runs(check, f"make {check}"),
            does(deploy, "lock", resource=f"{label}-deploy"),
            runs(deploy, command),
            Check(
                op="contains",
                id="locked",
                kind="step",
                name="sh",
                where={"script": command},
                path="inside",
                value="lock",
            ),
            references("stage", verify, "when", "parameter", flag),
            does(verify, "retry", count=3),
            runs(verify, smoke),
        ),
        variant=answer.replace(
            f"expression {{ params.{flag} }}", f"expression {{ return params.{flag} }}"
        )
        .replace(f"lock(resource: '{label}-deploy')", f"lock('{label}-deploy')")
        .replace("retry(3)", "retry(count: 3)"),
        habits=(
            (f"params.{flag} }}", "false }"),
            ("booleanParam(", "boolean("),
            ("retry(3) {", "retry('3') {"),
        ),
    )


@family("scheduled-scan", difficulty=4, held_out=True)
def scheduled_scan(draw: Draw) -> Draft:
    fetch, scan, report, image, host = (
        draw.word(),
        draw.word(),
        draw.word(),
        draw.choice(("python:3.12-slim", "node:22-alpine")),
        draw.domain(),
    )
    hour, folder, team = draw.integer(1, 5), draw.word(), draw.word()
    answer = pipeline(
        f"agent {{ docker {{ image '{image}'; reuseNode true }} }}",
        f"triggers {{ cron('H {hour} * * 1') }}",
        block("environment", f"REPORTS = '{folder}'"),
        block(
            "stages",
            stage(fetch, steps(f"git url: 'https://{host}/{scan}.git', branch: 'main'")),
            stage(
                scan,
                steps(
                    "catchError(buildResult: 'UNSTABLE', stageResult: 'FAILURE') {\n    sh './scan.sh \"$REPORTS\"'\n}"
                ),
            ),
            stage(report, steps(f"archiveArtifacts '{folder}/*.json'")),
        ),
        block(
            "post",
            block(
                "unstable", f"mail to: '{team}@{host}', subject: 'Findings', body: 'See the report'"
            ),
        ),
    )
    return Draft(
        wordings=(
            f"Write a declarative Jenkinsfile for mondays in the hour {hour} (cron 'H {hour} * * 1') in {image}, reusing the node; REPORTS is {folder}. {fetch}: git https://{host}/{scan}.git, branch main. {scan}: ./scan.sh \"$REPORTS\", whose failure makes the build UNSTABLE and the stage FAILURE. {report}: archive {folder}/*.json. When unstable, mail {team}@{host}, subject Findings, body 'See the report'.",
            f'jenkins weekly scan\n---\ncron H {hour} * * 1; docker {image}, reuseNode; REPORTS={folder}\n{fetch}: git https://{host}/{scan}.git main\n{scan}: catchError buildResult UNSTABLE stageResult FAILURE: ./scan.sh "$REPORTS"\n{report}: archiveArtifacts {folder}/*.json\npost unstable: mail {team}@{host} / Findings / See the report',
            f"Once a week, by the schedule H {hour} * * 1, in a container of {image} on the same node (reuseNode): {fetch} clones https://{host}/{scan}.git (main) with git, {scan} runs ./scan.sh \"$REPORTS\" under catchError (build UNSTABLE, stage FAILURE), {report} archives {folder}/*.json. REPORTS is {folder} everywhere. An unstable build writes to {team}@{host}: subject Findings, body 'See the report'.",
        ),
        answer=answer,
        reasoning=(
            f"cron H {hour} * * 1 in {image}",
            f"{fetch}, {scan} with catchError, {report}",
            f"unstable mails {team}@{host}",
        ),
        checks=(
            identity("stage", fetch),
            identity("stage", scan),
            identity("stage", report),
            agent("docker", {"image": image, "reuseNode": True}),
            equals("pipeline", None, "triggers.cron", f"H {hour} * * 1"),
            equals("pipeline", None, "environment.REPORTS", folder),
            does(fetch, "git", url=f"https://{host}/{scan}.git", branch="main"),
            does(scan, "catchError", buildResult="UNSTABLE", stageResult="FAILURE"),
            runs(scan, './scan.sh "$REPORTS"'),
            does(report, "archiveArtifacts", artifacts=f"{folder}/*.json"),
            does(
                "",
                "mail",
                "unstable",
                to=f"{team}@{host}",
                subject="Findings",
                body="See the report",
            ),
        ),
        variant=answer.replace(
            f"archiveArtifacts '{folder}/*.json'", f"archiveArtifacts artifacts: '{folder}/*.json'"
        ).replace("; reuseNode true", "\n    reuseNode true"),
        habits=(
            (f"H {hour} * * 1", f"H {hour} * * MON"),
            ("unstable {", "warning {"),
            ("buildResult: 'UNSTABLE'", "result: 'UNSTABLE'"),
        ),
    )


def binds(name: str, credential: str) -> Check:
    """The stage binds the secret text to KEY."""
    value = {"credentialsId": credential, "variable": "KEY"}
    where = {"stage": name}
    return Check(
        op="equals",
        id=f"{name}: KEY",
        kind="step",
        name="withCredentials",
        where=where,
        path="bindings[0].string",
        value=value,
    )


def two_checks(unit: str, lint: str, runner: str) -> str:
    """Tests on a runner beside a linter in a container."""
    report = block("post", block("always", "junit 'reports/*.xml'"))
    tests = stage(unit, f"agent {{ label '{runner}' }}", steps("sh 'make test'"), report)
    return block(
        "parallel",
        tests,
        stage(lint, "agent { docker 'python:3.12-slim' }", steps("sh 'make lint'")),
    )


def deployed(builder: str, stash: str, credential: str, command: str, *guards: str) -> list[str]:
    """The parts of a stage that deploys what was stashed, with the secret text bound to KEY."""
    bound = f"withCredentials([string(credentialsId: '{credential}', variable: 'KEY')])"
    return [
        f"agent {{ label '{builder}' }}",
        *guards,
        steps(f"unstash '{stash}'", block(bound, f"sh '{command}'")),
    ]


@family("whole-delivery", difficulty=5)
def whole_delivery(draw: Draw) -> Draft:
    build, checks, unit, lint, staging, production = (draw.word() for _ in range(6))
    builder, runner, stash, credential, group = (draw.name() for _ in range(5))
    parameter, host, team = draw.constant(), draw.domain(), draw.word()
    minutes = draw.choice((30, 45, 90))
    deploy = f'./deploy.sh {{}} "${parameter}" "$KEY"'
    question = "Deploy to production?"
    mail = f"mail to: '{team}@{host}', subject: 'Delivery failed', body: 'See the log'"
    limit = f"timeout(time: {minutes}, unit: 'MINUTES')"
    answer = pipeline(
        "agent none",
        block("options", limit, "buildDiscarder(logRotator(numToKeepStr: '30'))", "timestamps()"),
        block(
            "parameters", f"string(name: '{parameter}', defaultValue: 'latest', description: '')"
        ),
        block(
            "stages",
            stage(
                build,
                f"agent {{ label '{builder}' }}",
                steps("sh 'make dist'", f"stash name: '{stash}', includes: 'dist/**'"),
            ),
            stage(checks, "failFast true", two_checks(unit, lint, runner)),
            stage(staging, *deployed(builder, stash, credential, deploy.format("staging"))),
            stage(
                production,
                *deployed(
                    builder,
                    stash,
                    credential,
                    deploy.format("production"),
                    block("when", "beforeInput true", "branch 'main'"),
                    block("input", f"message '{question}'", f"submitter '{group}'"),
                ),
            ),
        ),
        block("post", block("failure", mail)),
    )
    return Draft(
        wordings=(
            f"Write a declarative Jenkinsfile without a global agent; {minutes} minutes, 30 builds kept, timestamps; the string parameter {parameter} is latest by default. {build} on {builder}: make dist, stash dist/** as {stash}. {checks}, in parallel and failing fast: {unit} on {runner} (make test, always JUnit reports/*.xml) and {lint} in python:3.12-slim (make lint). {staging} on {builder}: unstash, then {deploy.format('staging')} with the secret text {credential} bound to KEY. {production} on {builder}: the same with production, on the branch main only, after {group} answered '{question}' (test the branch before the input). On failure mail {team}@{host}, subject 'Delivery failed', body 'See the log'.",
            f"jenkins delivery\n---\nagent none; timeout {minutes} MINUTES; keep 30 builds; timestamps\nstring parameter {parameter} = latest\n{build} ({builder}): make dist; stash {stash} = dist/**\n{checks} (parallel, failFast): {unit} ({runner}): make test, always junit reports/*.xml | {lint} (docker python:3.12-slim): make lint\n{staging} ({builder}): unstash {stash}; withCredentials string {credential} -> KEY: {deploy.format('staging')}\n{production} ({builder}, branch main, beforeInput, input '{question}' submitter {group}): unstash {stash}; withCredentials string {credential} -> KEY: {deploy.format('production')}\npost failure: mail {team}@{host} / Delivery failed / See the log",
            f"From make dist to production, within {minutes} minutes, with timestamps and 30 builds kept; no agent for the whole. {parameter} is a string parameter (latest). On {builder}, {build} runs make dist and stashes dist/** under {stash}. {checks} then runs {unit} (agents {runner}, make test, JUnit from reports/*.xml whatever happens) beside {lint} (container python:3.12-slim, make lint) and stops both when one fails. {staging} and {production}, both on {builder}, unstash {stash} and, with {credential} (secret text) as KEY, call {deploy.format('staging')} and {deploy.format('production')}. {production} is for the branch main and asks {group} '{question}', in that order. A failed delivery is mailed to {team}@{host} (subject 'Delivery failed', body 'See the log').",
        ),
        answer=answer,
        reasoning=(
            f"{build} on {builder} stashes {stash}",
            f"{checks}: {unit} and {lint} in parallel, failFast",
            f"{staging}, then {production} on main, asked of {group}",
        ),
        checks=(
            *(identity("stage", name) for name in (build, checks, unit, lint, staging, production)),
            agent("none", True),
            limited(minutes),
            equals("pipeline", None, "options.buildDiscarder.logRotator.numToKeepStr", "30"),
            equals("pipeline", None, "options.timestamps", True),
            equals("parameter", parameter, "[type, defaultValue]", ["string", "latest"]),
            *(equals("stage", name, "agent.label", label) for name, label in ((build, builder), (unit, runner), (staging, builder), (production, builder))),
            equals("stage", lint, "agent.docker.image", "python:3.12-slim"),
            *(equals("stage", name, "[parent, parallel]", [checks, True]) for name in (unit, lint)),
            equals("stage", checks, "failFast", True),
            runs(build, "make dist"),
            does(build, "stash", name=stash, includes="dist/**"),
            runs(unit, "make test"),
            does(unit, "junit", "always", testResults="reports/*.xml"),
            runs(lint, "make lint"),
            *(does(name, "unstash", name=stash) for name in (staging, production)),
            runs(staging, deploy.format("staging")),
            runs(production, deploy.format("production")),
            *(binds(name, credential) for name in (staging, production)),
            contains_condition(production, {"branch": "main"}),
            equals("stage", production, "input.message", question),
            equals("stage", production, "input.submitter", group),
            does("", "mail", "failure", to=f"{team}@{host}", subject="Delivery failed", body="See the log"),
        ),
        variant=answer.replace("junit 'reports", "junit testResults: 'reports").replace("agent { docker 'python:3.12-slim' }", "agent { docker { image 'python:3.12-slim' } }").replace(f"unstash '{stash}'", f"unstash name: '{stash}'"),
        habits=((f"unstash '{stash}'", "unstash 'dist'"), ("branch 'main'", "branch 'develop'"), ("failFast true\n", "\n"), (f"submitter '{group}'\n", "\n")),
    )  # fmt: skip
