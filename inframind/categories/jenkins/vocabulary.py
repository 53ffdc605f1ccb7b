"""The vocabulary of declarative pipelines: sections, conditions, options, agents, steps ...

From https://www.jenkins.io/doc/book/pipeline/syntax/ and https://www.jenkins.io/doc/pipeline/steps/
(November 2026). A field with `!` is required; the first field of a step is the one that stands
without a name.
"""

from collections.abc import Container

PIPELINE_SECTIONS = frozenset(
    "agent stages post tools environment options parameters triggers libraries".split()
)
STAGE_SECTIONS = frozenset(
    "agent stages steps parallel matrix post tools environment options input when failFast".split()
)
MATRIX_SECTIONS = frozenset(
    "axes excludes stages agent post tools environment options input when".split()
)
CONTENTS = ("steps", "stages", "parallel", "matrix")
# https://www.jenkins.io/doc/book/pipeline/syntax/#post-conditions
POST_CONDITIONS = frozenset(
    "always changed fixed regression aborted failure success unstable unsuccessful cleanup".split()
)
TOOLS = frozenset(
    "maven jdk gradle ant git nodejs go terraform cmake groovy sbt scala dockerTool msbuild "
    "allure".split()
)

# https://www.jenkins.io/doc/book/pipeline/syntax/#agent-parameters
AGENTS: dict[str, frozenset[str]] = {
    "label": frozenset(),
    "node": frozenset({"label", "customWorkspace", "retries"}),
    "docker": frozenset(
        "image label args registryUrl registryCredentialsId alwaysPull reuseNode customWorkspace "
        "containerPerStageRoot retries".split()
    ),
    "dockerfile": frozenset(
        "filename dir label args additionalBuildArgs registryUrl registryCredentialsId alwaysPull "
        "reuseNode customWorkspace retries".split()
    ),
    "kubernetes": frozenset(
        "yaml yamlFile yamlMergeStrategy label cloud inheritFrom namespace defaultContainer "
        "serviceAccount containerTemplate containerTemplates nodeSelector workingDir podRetention "
        "idleMinutes instanceCap slaveConnectTimeout activeDeadlineSeconds customWorkspace "
        "workspaceVolume showRawYaml retries supplementalGroups runAsUser runAsGroup hostNetwork "
        "inheritYamlMergeStrategy imagePullSecrets".split()
    ),
}
# Option -> whether a stage may have it.
OPTIONS: dict[str, bool] = {
    "buildDiscarder": False,
    "checkoutToSubdirectory": False,
    "disableConcurrentBuilds": False,
    "disableResume": False,
    "newContainerPerStage": False,
    "overrideIndexTriggers": False,
    "preserveStashes": False,
    "quietPeriod": False,
    "disableRestartFromStage": False,
    "parallelsAlwaysFailFast": False,
    "skipStagesAfterUnstable": False,
    "skipDefaultCheckout": True,
    "retry": True,
    "timeout": True,
    "timestamps": True,
    "durabilityHint": False,
    "rateLimitBuilds": False,
    "copyArtifactPermission": False,
    "githubProjectProperty": False,
    "gitLabConnection": False,
    "lock": True,
    "ansiColor": True,
    "throttle": False,
    "withCredentials": True,
    "withEnv": True,
}
OPTION_NEEDS: dict[str, tuple[str, ...]] = {
    "timeout": ("time",),
    "retry": ("count",),
    "buildDiscarder": ("strategy",),
}
TRIGGERS = frozenset("cron pollSCM upstream githubPush gitlab bitbucketPush GenericTrigger".split())
PARAMETERS: dict[str, str] = {
    "string": "name! defaultValue description trim",
    "text": "name! defaultValue description trim",
    "booleanParam": "name! defaultValue description",
    "choice": "name! choices! description",
    "password": "name! defaultValue description",
    "credentials": "name! credentialType defaultValue description required",
    "file": "name! description",
    "run": "name! projectName description filter",
}
# Condition -> its fields; None: a block of other conditions; an empty text: none.
CONDITIONS: dict[str, str | None] = {
    "allOf": None,
    "anyOf": None,
    "not": None,
    "expression": "",
    "branch": "pattern! comparator",
    "buildingTag": "",
    "changelog": "pattern!",
    "changeset": "glob! caseSensitive comparator pattern",
    "changeRequest": (
        "id target branch fork url title author authorDisplayName authorEmail comparator"
    ),
    "environment": "name! value! ignoreCase",
    "equals": "expected! actual!",
    "tag": "pattern! comparator",
    "triggeredBy": "value! cause detail",
    "isRestartedRun": "",
}
WHEN_FLAGS = frozenset({"beforeAgent", "beforeInput", "beforeOptions"})
INPUT_FIELDS = frozenset("message id ok submitter submitterParameter parameters cancel".split())

STEPS: dict[str, str] = {
    "sh": "script! returnStdout returnStatus encoding label",
    "bat": "script! returnStdout returnStatus encoding label",
    "powershell": "script! returnStdout returnStatus encoding label",
    "pwsh": "script! returnStdout returnStatus encoding label",
    "echo": "message!",
    "error": "message",
    "unstable": "message!",
    "sleep": "time! unit",
    "retry": "count! conditions",
    "timeout": "time activity unit",
    "waitUntil": "initialRecurrencePeriod quiet",
    "dir": "path!",
    "ws": "dir!",
    "node": "label",
    "deleteDir": "",
    "pwd": "tmp",
    "isUnix": "",
    "readFile": "file! encoding",
    "writeFile": "file! text! encoding",
    "fileExists": "file!",
    "stash": "name! includes excludes useDefaultExcludes allowEmpty",
    "unstash": "name!",
    "archiveArtifacts": (
        "artifacts! excludes allowEmptyArchive fingerprint onlyIfSuccessful defaultExcludes "
        "caseSensitive followSymlinks"
    ),
    "fingerprint": "targets! excludes caseSensitive defaultExcludes",
    "junit": (
        "testResults! allowEmptyResults keepLongStdio keepProperties keepTestNames checksName "
        "healthScaleFactor skipMarkingBuildUnstable skipPublishingChecks skipOldReports "
        "stdioRetention testDataPublishers"
    ),
    "checkout": "scm! poll changelog",
    "git": "url! branch credentialsId changelog poll",
    "build": "job! parameters wait propagate quietPeriod waitForStart",
    "mail": "subject! body! to from cc bcc replyTo charset mimeType",
    "withEnv": "overrides!",
    "withCredentials": "bindings!",
    "tool": "name! type",
    "input": "message! id ok submitter submitterParameter parameters cancel",
    "catchError": "buildResult stageResult message catchInterruptions",
    "warnError": "message! catchInterruptions",
    "milestone": "ordinal label unsafe",
    "lock": (
        "resource label quantity variable inversePrecedence skipIfLocked extra priority reason "
        "resourceSelectStrategy"
    ),
    "script": "",
    "timestamps": "",
    "ansiColor": "colorMapName",
    "wrap": "delegate!",
    "step": "delegate!",
    "properties": "properties!",
    "cleanWs": (
        "deleteDirs cleanWhenAborted cleanWhenFailure cleanWhenNotBuilt cleanWhenSuccess "
        "cleanWhenUnstable disableDeferredWipeout externalDelete notFailBuild patterns "
        "skipWhenFailed"
    ),
    "emailext": (
        "subject body to from replyTo recipientProviders attachLog attachmentsPattern compressLog "
        "mimeType presendScript postsendScript saveOutput"
    ),
    "slackSend": (
        "message channel color teamDomain token tokenCredentialId botUser failOnError "
        "notifyCommitters attachments blocks baseUrl iconEmoji username timestamp sendAsText"
    ),
    "publishHTML": "target!",
    "recordIssues": (
        "tools tool qualityGates enabledForFailure aggregatingResults id name filters "
        "sourceCodeEncoding skipPublishingChecks failOnError ignoreQualityGate"
    ),
    "sshagent": "credentials! ignoreMissing",
    "configFileProvider": "managedFiles!",
    "container": "name! shell",
    "withMaven": (
        "maven jdk mavenSettingsConfig mavenLocalRepo options globalMavenSettingsConfig mavenOpts "
        "publisherStrategy traceability"
    ),
    "withDockerRegistry": "credentialsId url toolName",
    "withDockerContainer": "image! args toolName",
    "withSonarQubeEnv": "installationName credentialsId envOnly",
    "waitForQualityGate": "abortPipeline credentialsId webhookSecretId",
    "library": "identifier! retriever changelog",
    "load": "path!",
    "readJSON": "file text returnPojo",
    "writeJSON": "file json pretty returnText",
    "readYaml": "file text codePointLimit maxAliasesForCollections",
    "writeYaml": "file! data datas charset overwrite returnText",
    "zip": "zipFile! archive dir exclude glob overwrite defaultExcludes file",
    "unzip": "zipFile! charset dir glob quiet read test",
    "findFiles": "glob excludes",
    "httpRequest": (
        "url! httpMode requestBody contentType acceptType authentication customHeaders "
        "validResponseCodes consoleLogResponseBody ignoreSslErrors outputFile quiet timeout "
        "validResponseContent responseHandle httpProxy"
    ),
    "copyArtifacts": (
        "projectName! selector filter target flatten fingerprintArtifacts optional excludes "
        "parameters resultVariableSuffix"
    ),
    "buildDescription": "description!",
    "buildName": "nameTemplate!",
}
BLOCK_STEPS = frozenset(
    "retry timeout waitUntil dir ws node withEnv withCredentials catchError warnError lock script "
    "timestamps ansiColor wrap sshagent configFileProvider container withMaven withDockerRegistry "
    "withDockerContainer withSonarQubeEnv".split()
)
NEEDS_NODE = frozenset(
    "sh bat powershell pwsh dir ws deleteDir readFile writeFile fileExists stash unstash "
    "archiveArtifacts fingerprint junit checkout git cleanWs publishHTML recordIssues findFiles "
    "zip unzip".split()
)


def field_names(spec: str) -> list[str]:
    """List the fields of an entry such as `name! filter`, in their order."""
    return [field.rstrip("!") for field in spec.split()]


def missing_fields(spec: str, present: Container[str]) -> list[str]:
    """List the required fields of an entry that are not present."""
    required = (field.rstrip("!") for field in spec.split() if field.endswith("!"))
    return [name for name in required if name not in present]
