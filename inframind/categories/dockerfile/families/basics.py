"""Task families for Dockerfiles."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, contains, equals, exists, identity
from inframind.types import Check

FAMILIES = Families("dockerfile")
family = FAMILIES.family

PYTHON, NODE, GO = "python:3.12-slim", "node:22-alpine", "golang:1.24-alpine"
SERVERS = ("nginx:1.27", "httpd:2.4", "caddy:2.8")
INTERVALS = ("10s", "15s", "30s", "1m", "2m")


def image(path: str, value: object) -> Check:
    """The final image's field equals the value."""
    return equals("image", None, path, value)


def untagged(base: str) -> tuple[str, str]:
    """The habit of leaving the version out."""
    return (f"FROM {base}\n", f"FROM {base.split(':', maxsplit=1)[0]}\n")


def identity_of(base: str) -> Check:
    """A Dockerfile task is known by its base image."""
    return identity("image", None, **{"from": base})


@family("python-app", difficulty=2)
def python_app(draw: Draw) -> Draft:
    folder, module = draw.path(), draw.identifier()
    answer = (
        f"FROM {PYTHON}\nWORKDIR {folder}\nCOPY requirements.txt .\nRUN pip install --no-cache-dir -r requirements.txt\n"
        f'COPY . .\nCMD ["python", "{module}.py"]\n'
    )
    return Draft(
        wordings=(
            f"Write a Dockerfile on {PYTHON} in {folder} that installs requirements.txt, copies the code and runs {module}.py (exec form).",
            f"Dockerfile: {PYTHON}, workdir {folder}, requirements.txt, CMD python {module}.py in exec form",
            f"Package our Python program {module}.py. Base {PYTHON}, folder {folder}, dependencies from requirements.txt, exec-form CMD.",
        ),
        answer=answer,
        reasoning=(
            f"{PYTHON}, WORKDIR {folder}",
            f"install requirements.txt, CMD python {module}.py",
        ),
        checks=(
            identity_of(PYTHON),
            image("workdir", folder),
            contains("image", None, "join(' ', run)", "requirements.txt"),
            image("cmd", ["python", f"{module}.py"]),
        ),
        variant=answer.replace("COPY requirements.txt .", "COPY requirements.txt ./").replace(
            "RUN pip", "RUN python -m pip"
        ),
        habits=((f'CMD ["python", "{module}.py"]', f"CMD python {module}.py"), untagged(PYTHON)),
    )


@family("node-app", difficulty=2)
def node_app(draw: Draw) -> Draft:
    folder, port = draw.path(), draw.port()
    answer = (
        f"FROM {NODE}\nWORKDIR {folder}\nCOPY package*.json ./\nRUN npm ci --omit=dev\nCOPY . .\nEXPOSE {port}\n"
        'CMD ["node", "server.js"]\n'
    )
    return Draft(
        wordings=(
            f"Write a Dockerfile on {NODE} in {folder} that runs npm ci, exposes port {port} and starts server.js with node (exec form).",
            f"Dockerfile: {NODE}, workdir {folder}, npm ci, port {port}, CMD node server.js in exec form",
            f"Our Node service listens on {port}. Build it on {NODE} in {folder} with npm ci; the exec-form CMD is node server.js.",
        ),
        answer=answer,
        reasoning=(f"{NODE}, WORKDIR {folder}", f"npm ci, port {port}, CMD node server.js"),
        checks=(
            identity_of(NODE),
            image("workdir", folder),
            contains("image", None, "join(' ', run)", "npm ci"),
            contains("image", None, "ports", f"{port}/tcp"),
            image("cmd", ["node", "server.js"]),
        ),
        habits=(
            ('CMD ["node", "server.js"]', "CMD node server.js"),
            ("npm ci --omit=dev", "npm install"),
        ),
    )


@family("static-site", difficulty=1)
def static_site(draw: Draw) -> Draft:
    base, folder, target = draw.choice(SERVERS), draw.word(), draw.path()
    answer = f"FROM {base}\nCOPY {folder}/ {target}/\n"
    return Draft(
        wordings=(
            f"Write a Dockerfile on {base} that copies the folder {folder} to {target}.",
            f"Dockerfile: {base}, COPY {folder} to {target}",
            f"Serve the files of {folder} with {base}. They belong in {target} of the image.",
        ),
        answer=answer,
        reasoning=(f"{base}", f"COPY {folder} to {target}"),
        checks=(
            identity_of(base),
            Check(
                op="matches",
                id="source",
                kind="image",
                path="copy[0].sources[0]",
                value=rf"(\./)?{folder}/?",
            ),
            Check(
                op="matches", id="target", kind="image", path="copy[0].target", value=rf"{target}/?"
            ),
        ),
        variant=answer.replace(f"COPY {folder}/ {target}/", f"COPY ./{folder} {target}"),
        habits=((f"COPY {folder}/", f"ADD {folder}/"), untagged(base)),
    )


@family("non-root", difficulty=1)
def non_root(draw: Draw) -> Draft:
    user, folder = draw.identifier(), draw.path()
    answer = f"FROM {PYTHON}\nRUN useradd --create-home {user}\nWORKDIR {folder}\nCOPY . .\nUSER {user}\n"
    return Draft(
        wordings=(
            f"Write a Dockerfile on {PYTHON} that creates the user {user}, copies the code to {folder} and runs as {user}.",
            f"Dockerfile: {PYTHON}, useradd {user}, workdir {folder}, copy code, non-root USER {user}",
            f"The container must not run as root. On {PYTHON}: add the user {user}, work in {folder}, copy everything, switch to {user}.",
        ),
        answer=answer,
        reasoning=(f"{PYTHON}, create {user}", f"WORKDIR {folder}, USER {user}"),
        checks=(
            identity_of(PYTHON),
            image("user", user),
            image("workdir", folder),
            contains("image", None, "join(' ', run)", user),
            exists("image", None, "copy"),
        ),
        variant=answer.replace("useradd --create-home", "adduser --disabled-password --gecos ''"),
        habits=((f"USER {user}\n", ""), (f"RUN useradd --create-home {user}\n", "")),
    )


@family("environment", difficulty=1)
def environment(draw: Draw) -> Draft:
    base, key, value = (
        draw.choice((PYTHON, NODE, GO)),
        draw.choice(("APP_MODE", "LOG_DIR", "TEAM", "STAGE", "TARGET")),
        draw.name(),
    )
    answer = f"FROM {base}\nENV {key}={value}\n"
    return Draft(
        wordings=(
            f"Write a Dockerfile on {base} that sets the environment variable {key} to {value}.",
            f"Dockerfile: {base}, ENV {key}={value}",
            f"An image based on {base} with {key} = {value} in its environment, please.",
        ),
        answer=answer,
        reasoning=(base, f"ENV {key}={value}"),
        checks=(identity_of(base), image(f"env.{key}", value)),
        variant=f'FROM {base}\nENV {key}="{value}"\n',
        habits=((f"ENV {key}={value}", f"SET {key}={value}"), untagged(base)),
    )


@family("healthcheck", difficulty=2)
def healthcheck(draw: Draw) -> Draft:
    base, port, interval = draw.choice(SERVERS), draw.port(), draw.choice(INTERVALS)
    answer = f"FROM {base}\nEXPOSE {port}\nHEALTHCHECK --interval={interval} CMD curl -f http://localhost:{port}/ || exit 1\n"
    return Draft(
        wordings=(
            f"Write a Dockerfile on {base} that exposes {port} and checks http://localhost:{port}/ with curl every {interval}.",
            f"Dockerfile: {base}, port {port}, healthcheck curl localhost:{port} every {interval}",
            f"Based on {base}: port {port} is exposed, and a HEALTHCHECK asks http://localhost:{port}/ by curl each {interval}.",
        ),
        answer=answer,
        reasoning=(f"{base}, EXPOSE {port}", f"HEALTHCHECK with interval {interval}"),
        checks=(
            identity_of(base),
            contains("image", None, "ports", f"{port}/tcp"),
            image("healthcheck.interval", interval),
            contains("image", None, "to_string(healthcheck.cmd)", f"localhost:{port}"),
        ),
        habits=(
            (f"--interval={interval} CMD", f"--interval {interval} CMD"),
            (f"EXPOSE {port}\n", ""),
        ),
    )


@family("labels", difficulty=1)
def labels(draw: Draw) -> Draft:
    base, owner, title = draw.choice((PYTHON, NODE, GO)), draw.word(), draw.name()
    answer = f'FROM {base}\nLABEL title="{title}"\nLABEL owner="{owner}"\n'
    return Draft(
        wordings=(
            f"Write a Dockerfile on {base} with the labels title={title} and owner={owner}.",
            f"Dockerfile: {base}, LABEL title={title}, owner={owner}",
            f"Label an image based on {base}: its title is {title}, its owner {owner}.",
        ),
        answer=answer,
        reasoning=(base, f"LABEL title {title}, owner {owner}"),
        checks=(identity_of(base), image("labels.title", title), image("labels.owner", owner)),
        variant=f"FROM {base}\nLABEL title={title} owner={owner}\n",
        habits=((f'LABEL owner="{owner}"', f"MAINTAINER {owner}"), untagged(base)),
    )


@family("system-package", difficulty=1)
def system_package(draw: Draw) -> Draft:
    package, folder = (
        draw.choice(("curl", "git", "jq", "make", "unzip", "vim", "wget")),
        draw.path(),
    )
    run = f"RUN apt-get update && apt-get install -y --no-install-recommends {package} && rm -rf /var/lib/apt/lists/*\n"
    answer = f"FROM debian:12-slim\n{run}WORKDIR {folder}\n"
    return Draft(
        wordings=(
            f"Write a Dockerfile on debian:12-slim that installs {package} with apt-get -y and works in {folder}.",
            f"Dockerfile: debian:12-slim, apt-get install -y {package}, workdir {folder}",
            f"We need {package} on debian:12-slim (apt-get, answer yes by -y). The working directory is {folder}.",
        ),
        answer=answer,
        reasoning=(f"debian:12-slim, apt-get install {package}", f"WORKDIR {folder}"),
        checks=(
            identity_of("debian:12-slim"),
            Check(
                op="matches",
                id="install",
                kind="image",
                path="join(' ', run)",
                value=rf"(?s).*apt-get .*install .*-y.* {package}\b.*",
            ),
            image("workdir", folder),
        ),
        habits=((" -y", ""), (f"WORKDIR {folder}", f"RUN cd {folder}")),
    )


@family("entrypoint", difficulty=1)
def entrypoint(draw: Draw) -> Draft:
    base, program, option = draw.choice((PYTHON, NODE, GO)), draw.path(), draw.word()
    answer = f'FROM {base}\nENTRYPOINT ["{program}"]\nCMD ["--{option}"]\n'
    return Draft(
        wordings=(
            f"Write a Dockerfile on {base} with the entrypoint {program} and the default argument --{option}, both in exec form.",
            f"Dockerfile: {base}, ENTRYPOINT {program}, CMD --{option}, exec form",
            f"Containers of an image on {base} start {program}; --{option} is its default argument (CMD). Use exec form for both.",
        ),
        answer=answer,
        reasoning=(f"{base}, ENTRYPOINT {program}", f"CMD --{option}"),
        checks=(identity_of(base), image("entrypoint", [program]), image("cmd", [f"--{option}"])),
        habits=(
            (f'ENTRYPOINT ["{program}"]', f"ENTRYPOINT {program}"),
            (f'CMD ["--{option}"]', f"CMD --{option}"),
        ),
    )


@family("go-multistage", difficulty=2)
def go_multistage(draw: Draw) -> Draft:
    name, folder = draw.name(), draw.path()
    answer = (
        f"FROM {GO} AS build\nWORKDIR {folder}\nCOPY . .\nRUN go build -o /{name} .\n\nFROM alpine:3.20\n"
        f'COPY --from=build /{name} /{name}\nENTRYPOINT ["/{name}"]\n'
    )
    return Draft(
        wordings=(
            f"Write a two-stage Dockerfile: build /{name} with {GO} in {folder}, copy it into alpine:3.20 and start it (exec-form ENTRYPOINT).",
            f"multi-stage Dockerfile, {GO} -> alpine:3.20, binary /{name}, workdir {folder}, exec ENTRYPOINT",
            f"Compile our Go code to /{name} (stage on {GO}, folder {folder}); the final image is alpine:3.20 with that entrypoint in exec form.",
        ),
        answer=answer,
        reasoning=(f"build stage on {GO} in {folder}", f"alpine:3.20 with /{name} from build"),
        checks=(
            identity_of("alpine:3.20"),
            Check(op="exists", id="stage", kind="stage", where={"from": GO, "workdir": folder}),
            image("entrypoint", [f"/{name}"]),
            Check(
                op="contains", id="copy", kind="image", path="copy[].sources[]", value=f"/{name}"
            ),
            exists("image", None, "copy[0].from"),
        ),
        habits=(("COPY --from=build", "COPY"), (f'ENTRYPOINT ["/{name}"]', f"ENTRYPOINT /{name}")),
    )


@family("build-argument", difficulty=1)
def build_argument(draw: Draw) -> Draft:
    name, default, key = draw.constant(), draw.word(), draw.choice(("VERSION", "CHANNEL", "FLAVOR"))
    answer = f"FROM debian:12-slim\nARG {name}={default}\nENV {key}=${{{name}}}\n"
    return Draft(
        wordings=(
            f"Write a Dockerfile on debian:12-slim with the build argument {name} (default {default}) that becomes the variable {key}.",
            f"Dockerfile: debian:12-slim, ARG {name}={default}, ENV {key} from it",
            f"The build argument {name} is {default} by default; pass it on as ENV {key}. Base image debian:12-slim.",
        ),
        answer=answer,
        reasoning=(f"ARG {name} with default {default}", f"ENV {key} from {name}"),
        checks=(
            identity_of("debian:12-slim"),
            image(f"args.{name}", default),
            image(f"env.{key}", default),
        ),
        habits=(
            (f"ENV {key}=${{{name}}}", f"ENV {key}={name}"),
            (f"ARG {name}={default}\n", f"ARG {name}\n"),
        ),
    )


@family("volume", difficulty=1, held_out=True)
def volume(draw: Draw) -> Draft:
    base, folder = draw.choice(SERVERS), draw.path()
    return Draft(
        wordings=(
            f"Write a Dockerfile on {base} that declares the volume {folder}.",
            f"Dockerfile: {base}, VOLUME {folder}",
            f"An image on {base} whose data in {folder} is kept in a volume.",
        ),
        answer=f'FROM {base}\nVOLUME ["{folder}"]\n',
        reasoning=(base, f"VOLUME {folder}"),
        checks=(identity_of(base), contains("image", None, "volumes", folder)),
        variant=f"FROM {base}\nVOLUME {folder}\n",
    )


@family("stop-signal", difficulty=1, held_out=True)
def stop_signal(draw: Draw) -> Draft:
    base, signal, port = (
        draw.choice(SERVERS),
        draw.choice(("SIGTERM", "SIGINT", "SIGQUIT")),
        draw.port(),
    )
    return Draft(
        wordings=(
            f"Write a Dockerfile on {base} that exposes {port} and stops with {signal}.",
            f"Dockerfile: {base}, port {port}, STOPSIGNAL {signal}",
            f"Containers of an image on {base} listen on {port} and are stopped by {signal}.",
        ),
        answer=f"FROM {base}\nEXPOSE {port}\nSTOPSIGNAL {signal}\n",
        reasoning=(f"{base}, EXPOSE {port}", f"STOPSIGNAL {signal}"),
        checks=(
            identity_of(base),
            contains("image", None, "ports", f"{port}/tcp"),
            image("stopsignal", signal),
        ),
    )


@family("owned-copy", difficulty=2, held_out=True)
def owned_copy(draw: Draw) -> Draft:
    user, folder = draw.identifier(), draw.path()
    return Draft(
        wordings=(
            f"Write a Dockerfile on {PYTHON}: create the user {user}, copy the code to {folder} owned by {user}, run as {user}.",
            f"Dockerfile: {PYTHON}, useradd {user}, COPY --chown={user} . {folder}, USER {user}",
            f"On {PYTHON}, all files in {folder} belong to the new user {user} (COPY --chown), who also runs the container.",
        ),
        answer=f"FROM {PYTHON}\nRUN useradd --create-home {user}\nCOPY --chown={user} . {folder}\nUSER {user}\n",
        reasoning=(f"{PYTHON}, create {user}", f"COPY --chown={user} to {folder}, USER {user}"),
        checks=(
            identity_of(PYTHON),
            Check(
                op="matches",
                id="owner",
                kind="image",
                path="copy[0].chown",
                value=rf"{user}(:{user})?",
            ),
            Check(
                op="matches", id="target", kind="image", path="copy[0].target", value=rf"{folder}/?"
            ),
            image("user", user),
        ),
    )
