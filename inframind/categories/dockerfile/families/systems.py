"""Task families for Dockerfiles of several stages, as they ship to production."""

from textwrap import dedent

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, contains, equals
from inframind.categories.dockerfile.families.basics import GO, NODE, PYTHON, identity_of, image
from inframind.types import Check

FAMILIES = Families("dockerfile")
family = FAMILIES.family


def copied(source: str, target: str, stage: str | None = None) -> Check:
    """The final image copies that into the target, from the stage if one is named."""
    wanted: dict[str, object] = {"sources": [source], "target": target}
    return contains("image", None, "copy", wanted | ({"from": stage} if stage else {}))


def ran(text: str) -> Check:
    """Some RUN of the final image holds the text."""
    return contains("image", None, "join(' ', run)", text)


def stage_ran(stage: str, text: str) -> Check:
    """Some RUN of a stage that the final image needs holds the text."""
    return contains("stage", stage, "join(' ', run)", text)


@family("wheels", difficulty=3)
def wheels(draw: Draw) -> Draft:
    stage, folder, module, user = (
        draw.word(),
        draw.path(),
        draw.identifier(),
        draw.number(1001, 60000),
    )
    answer = dedent(f"""\
        FROM python:3.12 AS {stage}
        WORKDIR /src
        COPY requirements.txt .
        RUN pip wheel --wheel-dir /wheels -r requirements.txt

        FROM {PYTHON}
        WORKDIR {folder}
        COPY --from={stage} /wheels /wheels
        RUN pip install --no-cache-dir /wheels/*
        COPY . .
        USER {user}
        CMD ["python", "-m", "{module}"]
        """)
    return Draft(
        wordings=(
            f"Write a two-stage Dockerfile: the stage {stage} (python:3.12) makes wheels of requirements.txt in /wheels; the final image on {PYTHON} installs them, holds the code in {folder}, runs as user {user}, starts python -m {module} (exec form).",
            f"Dockerfile: stage {stage} python:3.12 pip wheel -> /wheels; {PYTHON}, workdir {folder}, pip install /wheels/*, USER {user}, CMD python -m {module}",
            f"No compiler in production: build the wheels in {stage} on python:3.12 (to /wheels), install them on {PYTHON}. Code in {folder}, user {user}, exec-form command python -m {module}.",
        ),
        answer=answer,
        reasoning=(f"stage {stage}: wheels in /wheels", f"{PYTHON}: install them", f"WORKDIR {folder}, USER {user}, CMD python -m {module}"),
        checks=(
            identity_of(PYTHON),
            equals("stage", stage, "from", "python:3.12"),
            stage_ran(stage, "pip wheel"),
            Check(op="exists", id="wheels", kind="image", path=f"copy[?from == '{stage}']"),
            ran("/wheels"),
            image("workdir", folder),
            image("user", str(user)),
            image("cmd", ["python", "-m", module]),
        ),
        variant=answer.replace("COPY --from=" + stage + " /wheels /wheels", "COPY --from=" + stage + " /wheels/ /wheels/"),
        habits=((f"USER {user}\n", ""), (f'CMD ["python", "-m", "{module}"]', f"CMD python -m {module}"), (f"COPY --from={stage} /wheels /wheels", "COPY wheels /wheels")),
    )  # fmt: skip


@family("static-build", difficulty=3)
def static_build(draw: Draw) -> Draft:
    stage, script, port, folder = (
        draw.word(),
        draw.word(),
        draw.port(),
        draw.choice(("dist", "build", "out")),
    )
    answer = dedent(f"""\
        FROM {NODE} AS {stage}
        WORKDIR /site
        COPY package.json package-lock.json ./
        RUN npm ci
        COPY . .
        RUN npm run {script}

        FROM nginxinc/nginx-unprivileged:1.27
        COPY --from={stage} /site/{folder} /usr/share/nginx/html
        EXPOSE {port}
        HEALTHCHECK --interval=30s CMD ["curl", "-f", "http://localhost:{port}/"]
        """)
    base = "nginxinc/nginx-unprivileged:1.27"
    return Draft(
        wordings=(
            f"Write a Dockerfile: the stage {stage} on {NODE} works in /site, runs npm ci and npm run {script}; {base} serves /site/{folder} from /usr/share/nginx/html, exposes {port}, and every 30s curl -f http://localhost:{port}/ checks it.",
            f"Dockerfile: {stage}={NODE} /site npm ci, npm run {script}; {base} <- /site/{folder} to /usr/share/nginx/html; EXPOSE {port}; healthcheck 30s curl -f http://localhost:{port}/",
            f"Build our site with npm run {script} (stage {stage}, {NODE}, folder /site, npm ci before) and serve {folder} on {base} below /usr/share/nginx/html. Port {port}; health: curl -f http://localhost:{port}/ each 30s.",
        ),
        answer=answer,
        reasoning=(f"stage {stage}: npm ci, npm run {script}", f"{base} with /site/{folder}", f"EXPOSE {port}, health check"),
        checks=(
            identity_of(base),
            equals("stage", stage, "from", NODE),
            stage_ran(stage, "npm ci"),
            stage_ran(stage, f"npm run {script}"),
            Check(op="exists", id="site", kind="image", path=f"copy[?from == '{stage}' && starts_with(target, '/usr/share/nginx/html') && contains(sources[0], '/site/{folder}')]"),
            contains("image", None, "ports", f"{port}/tcp"),
            image("healthcheck.interval", "30s"),
            Check(op="exists", id="health", kind="image", path="healthcheck.cmd"),
        ),
        variant=answer.replace(f"/site/{folder} /usr/share/nginx/html", f"/site/{folder}/ /usr/share/nginx/html/"),
        habits=((f"FROM {NODE} AS {stage}", f"FROM node:8 AS {stage}"), ("RUN npm ci\n", "RUN npm install\n"), (f"COPY --from={stage} /site", "COPY /site")),
    )  # fmt: skip


@family("distroless-go", difficulty=4)
def distroless_go(draw: Draw) -> Draft:
    stage, program, port, folder = draw.word(), draw.name(), draw.port(), draw.path()
    base = "gcr.io/distroless/static-debian12:nonroot"
    answer = dedent(f"""\
        # syntax=docker/dockerfile:1
        FROM {GO} AS {stage}
        WORKDIR {folder}
        COPY go.mod go.sum ./
        RUN --mount=type=cache,target=/go/pkg/mod go mod download
        COPY . .
        RUN CGO_ENABLED=0 go build -trimpath -o /out/{program} .

        FROM {base}
        LABEL org.opencontainers.image.title="{program}"
        COPY --from={stage} /out/{program} /{program}
        EXPOSE {port}
        USER 65532:65532
        ENTRYPOINT ["/{program}"]
        """)
    return Draft(
        wordings=(
            f"Write a Dockerfile that builds the Go program {program} in the stage {stage} ({GO}, folder {folder}, modules downloaded with a cache mount, CGO off, to /out/{program}) and ships it on {base} as /{program}: "
            f"port {port}, user 65532:65532, entry point in exec form, label org.opencontainers.image.title={program}.",
            f"Dockerfile: {stage}={GO} in {folder}, go mod download with cache mount, CGO_ENABLED=0 -> /out/{program}; {base}: /{program}, EXPOSE {port}, USER 65532:65532, ENTRYPOINT exec, title label {program}",
            f"Ship {program} without a shell: {base}, binary at /{program}, user 65532:65532, port {port}, exec entry point, title label {program}. "
            f"The stage {stage} on {GO} works in {folder}, caches the modules (cache mount) and builds statically (CGO_ENABLED=0) to /out/{program}.",
        ),
        answer=answer,
        reasoning=(f"stage {stage}: {GO}, static build", f"{base} with /{program}", f"EXPOSE {port}, USER 65532:65532, ENTRYPOINT, label"),
        checks=(
            identity_of(base),
            equals("stage", stage, "from", GO),
            equals("stage", stage, "workdir", folder),
            stage_ran(stage, "go mod download"),
            stage_ran(stage, "CGO_ENABLED=0"),
            copied(f"/out/{program}", f"/{program}", stage),
            contains("image", None, "ports", f"{port}/tcp"),
            image("user", "65532:65532"),
            image("entrypoint", [f"/{program}"]),
            equals("image", None, 'labels."org.opencontainers.image.title"', program),
        ),
        variant=answer.replace(f'LABEL org.opencontainers.image.title="{program}"', f"LABEL org.opencontainers.image.title={program}").replace("-trimpath ", ""),
        habits=(("USER 65532:65532\n", ""), (f'ENTRYPOINT ["/{program}"]', f"ENTRYPOINT /{program}"), (f"FROM {base}", "FROM alpine:latest")),
    )  # fmt: skip


@family("java-layers", difficulty=4)
def java_layers(draw: Draw) -> Draft:
    stage, folder, port, limit = draw.word(), draw.path(), draw.port(), draw.choice((55, 65, 85))
    base = "eclipse-temurin:21-jre"
    answer = dedent(f"""\
        FROM maven:3.9-eclipse-temurin-21 AS {stage}
        WORKDIR /build
        COPY pom.xml .
        RUN mvn -B dependency:go-offline
        COPY src ./src
        RUN mvn -B package -DskipTests

        FROM {base}
        ENV JAVA_TOOL_OPTIONS="-XX:MaxRAMPercentage={limit}"
        WORKDIR {folder}
        RUN useradd --system --uid 10001 app
        COPY --from={stage} --chown=app /build/target/app.jar app.jar
        USER app
        EXPOSE {port}
        STOPSIGNAL SIGTERM
        ENTRYPOINT ["java", "-jar", "app.jar"]
        """)
    return Draft(
        wordings=(
            f"Write a Dockerfile for a Java service: the stage {stage} (maven:3.9-eclipse-temurin-21) resolves dependencies before it packages without tests in /build; the image on {base} has JAVA_TOOL_OPTIONS=-XX:MaxRAMPercentage={limit}, "
            f"the jar as app.jar in {folder}, owned and run by the system user app, port {port}, stop signal SIGTERM, java -jar app.jar in exec form.",
            f"Dockerfile java: {stage}=maven:3.9-eclipse-temurin-21 /build (go-offline, package -DskipTests); {base}, JAVA_TOOL_OPTIONS -XX:MaxRAMPercentage={limit}, workdir {folder}, user app, EXPOSE {port}, SIGTERM, ENTRYPOINT java -jar app.jar",
            f"Our Maven service listens on {port}. Package it in {stage} on maven:3.9-eclipse-temurin-21 (folder /build, dependencies first, no tests), run app.jar in {folder} on {base} as the new system user app, "
            f"heap by -XX:MaxRAMPercentage={limit} in JAVA_TOOL_OPTIONS, STOPSIGNAL SIGTERM, exec-form entry point java -jar app.jar.",
        ),
        answer=answer,
        reasoning=(f"stage {stage}: dependencies, package", f"{base}: JAVA_TOOL_OPTIONS {limit} %", f"app.jar in {folder}, user app, EXPOSE {port}"),
        checks=(
            identity_of(base),
            equals("stage", stage, "from", "maven:3.9-eclipse-temurin-21"),
            stage_ran(stage, "dependency:go-offline"),
            stage_ran(stage, "package"),
            equals("image", None, "env.JAVA_TOOL_OPTIONS", f"-XX:MaxRAMPercentage={limit}"),
            image("workdir", folder),
            Check(op="exists", id="jar", kind="image", path=f"copy[?from == '{stage}' && starts_with(chown, 'app')]"),
            image("user", "app"),
            contains("image", None, "ports", f"{port}/tcp"),
            image("stopsignal", "SIGTERM"),
            image("entrypoint", ["java", "-jar", "app.jar"]),
        ),
        variant=answer.replace("--chown=app ", "--chown=app:app ").replace('="-XX', "='-XX").replace(f'{limit}"', f"{limit}'"),
        habits=((f"FROM {base}", "FROM openjdk:8-jre"), ("USER app\n", ""), ("COPY pom.xml .\nRUN mvn -B dependency:go-offline\n", "")),
    )  # fmt: skip


@family("model-server", difficulty=4)
def model_server(draw: Draw) -> Draft:
    model, port, folder, user = draw.name(), draw.port(), draw.path(), draw.number(1001, 60000)
    base = "nvidia/cuda:12.6.3-runtime-ubuntu24.04"
    answer = dedent(f"""\
        FROM {base}
        ENV MODEL_NAME={model} \\
            HF_HOME={folder}
        RUN apt-get update \\
            && apt-get install -y --no-install-recommends python3 python3-venv \\
            && rm -rf /var/lib/apt/lists/*
        RUN python3 -m venv /venv
        ENV PATH=/venv/bin:$PATH
        COPY requirements.txt .
        RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt
        COPY serve.py /serve.py
        VOLUME {folder}
        EXPOSE {port}
        HEALTHCHECK --interval=1m --start-period=5m CMD ["python", "/serve.py", "--check"]
        USER {user}
        CMD ["python", "/serve.py", "--port", "{port}"]
        """)
    return Draft(
        wordings=(
            f"Write a Dockerfile for a GPU model server on {base}: MODEL_NAME={model}, HF_HOME={folder} (also a volume), python3 from apt in the environment /venv, requirements.txt with a pip cache mount, "
            f"serve.py at /serve.py, port {port}, health check python /serve.py --check each minute after five, user {user}, exec command python /serve.py --port {port}.",
            f"Dockerfile {base}: MODEL_NAME {model}, HF_HOME+VOLUME {folder}, apt python3 python3-venv, /venv, requirements.txt (cache mount), /serve.py, EXPOSE {port}, HEALTHCHECK 1m start 5m python /serve.py --check, USER {user}, CMD python /serve.py --port {port}",
            f"Serve {model} (MODEL_NAME) on {base} as user {user} at port {port}. Weights stay in {folder}: HF_HOME, and a volume. Python comes from apt into /venv; pip uses a cache mount for requirements.txt; "
            f"serve.py becomes /serve.py and starts with --port {port}; --check tells its health, every minute, five minutes after the start.",
        ),
        answer=answer,
        reasoning=(f"{base}, MODEL_NAME {model}", "python in /venv, pip with a cache mount", f"VOLUME {folder}, EXPOSE {port}, USER {user}", "health check, CMD"),
        checks=(
            identity_of(base),
            equals("image", None, "env.MODEL_NAME", model),
            equals("image", None, "env.HF_HOME", folder),
            contains("image", None, "volumes", folder),
            ran("python3-venv"),
            ran("requirements.txt"),
            copied("serve.py", "/serve.py"),
            contains("image", None, "ports", f"{port}/tcp"),
            image("healthcheck.interval", "1m"),
            Check(op="exists", id="health", kind="image", path="healthcheck.cmd"),
            image("user", str(user)),
            image("cmd", ["python", "/serve.py", "--port", str(port)]),
        ),
        variant=answer.replace(f"VOLUME {folder}", f'VOLUME ["{folder}"]'),
        habits=((f"FROM {base}", "FROM nvidia/cuda:latest"), (f"USER {user}\n", ""), ("HEALTHCHECK --interval=1m --start-period=5m", "HEALTHCHECK --interval=5m")),
    )  # fmt: skip


@family("development-target", difficulty=3, held_out=True)
def development_target(draw: Draw) -> Draft:
    shared, folder, script, port, mode = (
        draw.word(),
        draw.path(),
        draw.word(),
        draw.port(),
        draw.word(),
    )
    answer = dedent(f"""\
        FROM {NODE} AS {shared}
        WORKDIR {folder}
        COPY package.json package-lock.json ./

        FROM {shared} AS development
        RUN npm install
        COPY . .
        CMD ["npm", "run", "dev"]

        FROM {shared}
        ENV NODE_ENV=production \\
            MODE={mode}
        RUN npm ci --omit=dev
        COPY . .
        EXPOSE {port}
        USER node
        CMD ["npm", "run", "{script}"]
        """)
    return Draft(
        wordings=(
            f"Write a Dockerfile with a shared stage {shared} ({NODE}, {folder}, package files), a target development (npm install, npm run dev), and a production image on {shared}: NODE_ENV=production, MODE={mode}, npm ci --omit=dev, port {port}, user node, npm run {script} in exec form.",
            f"Dockerfile: {shared}={NODE} workdir {folder} package*.json; development from {shared}: npm install, CMD npm run dev; final from {shared}: NODE_ENV=production MODE={mode}, npm ci --omit=dev, EXPOSE {port}, USER node, CMD npm run {script}",
            f"Development and production share {shared} ({NODE}, package files in {folder}). The target development runs npm install and npm run dev; the last stage is for production: NODE_ENV production, MODE {mode}, npm ci --omit=dev, user node, port {port}, exec command npm run {script}.",
        ),
        answer=answer,
        reasoning=(f"stage {shared}: {NODE}, {folder}", "target development", f"production: npm ci --omit=dev, USER node, EXPOSE {port}, npm run {script}"),
        checks=(
            Check(op="one_of", id="from", kind="image", path="from", value=[shared, NODE], gate=True),
            equals("stage", shared, "from", NODE),
            image("workdir", folder),
            equals("image", None, "env.NODE_ENV", "production"),
            equals("image", None, "env.MODE", mode),
            ran("npm ci --omit=dev"),
            contains("image", None, "ports", f"{port}/tcp"),
            image("user", "node"),
            image("cmd", ["npm", "run", script]),
        ),
        variant=answer.replace("ENV NODE_ENV=production \\\n    MODE=", "ENV NODE_ENV production\nENV MODE="),
        habits=(("USER node\n", ""), ("npm ci --omit=dev", "npm install"), (f'CMD ["npm", "run", "{script}"]', f"CMD npm run {script}")),
    )  # fmt: skip
