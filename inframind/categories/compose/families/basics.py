"""Task families for Compose files."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, contains, equals, exists, identity, references
from inframind.types import Check

FAMILIES = Families("compose")
family = FAMILIES.family

IMAGES = ("nginx:1.27", "redis:7.4", "httpd:2.4", "python:3.12-slim", "node:22-alpine", "caddy:2.8")
DATABASES = (
    ("postgres:16", "POSTGRES_PASSWORD", "/var/lib/postgresql/data"),
    ("mysql:8.4", "MYSQL_ROOT_PASSWORD", "/var/lib/mysql"),
    ("mariadb:11", "MARIADB_ROOT_PASSWORD", "/var/lib/mysql"),
)


def nested(answer: str) -> tuple[str, str]:
    """The habit from before Compose had `services`: version 1 put them at the top."""
    return ("services:\n", "") if answer.startswith("services:\n") else ("services:", "service:")


@family("service", difficulty=1)
def service(draw: Draw) -> Draft:
    name, image, published, target = draw.name(), draw.choice(IMAGES), draw.port(), draw.port()
    answer = (
        f'services:\n  {name}:\n    image: {image}\n    ports:\n      - "{published}:{target}"\n'
    )
    return Draft(
        wordings=(
            f"Write a Compose file with the service {name} from {image} that publishes container port {target} as {published}.",
            f"compose: {name}, {image}, ports {published}:{target}",
            f"Start {image} with Docker Compose as {name}; host port {published} goes to container port {target}.",
        ),
        answer=answer,
        reasoning=(f"service {name} of {image}", f"port {published} to {target}"),
        checks=(
            identity("service", name),
            equals("service", name, "image", image),
            contains("service", name, "ports", {"published": str(published), "target": target}),
        ),
        variant=answer.replace(
            f'- "{published}:{target}"', f"- target: {target}\n        published: {published}"
        ),
        habits=(nested(answer), ("    ports:", "    port:")),
    )


@family("environment", difficulty=1)
def environment(draw: Draw) -> Draft:
    name, image, key, value = (
        draw.name(),
        draw.choice(IMAGES),
        draw.choice(("MODE", "REGION", "TIER", "OWNER")),
        draw.word(),
    )
    answer = f"services:\n  {name}:\n    image: {image}\n    environment:\n      {key}: {value}\n"
    return Draft(
        wordings=(
            f"Write a Compose file with the service {name} from {image} and the environment variable {key}={value}.",
            f"compose: {name}, {image}, env {key}={value}",
            f"The Compose service {name} runs {image}. Set {key} to {value} in its environment.",
        ),
        answer=answer,
        reasoning=(f"service {name} of {image}", f"environment {key}: {value}"),
        checks=(
            identity("service", name),
            equals("service", name, "image", image),
            equals("service", name, f"environment.{key}", value),
        ),
        variant=answer.replace(f"      {key}: {value}", f"      - {key}={value}"),
        habits=(nested(answer), ("environment:", "env:")),
    )


@family("depends-on", difficulty=2)
def depends_on(draw: Draw) -> Draft:
    name, image, store, cache = (
        draw.name(),
        draw.choice(IMAGES),
        draw.name(),
        draw.choice(("redis:7.4", "memcached:1.6")),
    )
    answer = f"services:\n  {name}:\n    image: {image}\n    depends_on:\n      - {store}\n  {store}:\n    image: {cache}\n"
    return Draft(
        wordings=(
            f"Write a Compose file: the service {name} ({image}) depends on the service {store} ({cache}).",
            f"compose: {name} {image} depends_on {store} {cache}",
            f"{name} runs {image} and must start after {store}, which runs {cache}. Write the Compose file with depends_on.",
        ),
        answer=answer,
        reasoning=(f"{name} of {image} depends on {store}", f"{store} of {cache}"),
        checks=(
            identity("service", name),
            equals("service", name, "image", image),
            equals("service", store, "image", cache),
            references("service", name, "depends_on", "service", store),
        ),
        variant=answer.replace(
            f"      - {store}\n", f"      {store}:\n        condition: service_started\n"
        ),
        habits=(("depends_on:", "links:"), (f"      - {store}\n", f"      - db-{store}\n")),
    )


@family("named-volume", difficulty=2)
def named_volume(draw: Draw) -> Draft:
    name, image, store, folder = draw.name(), draw.choice(IMAGES), draw.name(), draw.path()
    answer = f"services:\n  {name}:\n    image: {image}\n    volumes:\n      - {store}:{folder}\nvolumes:\n  {store}: {{}}\n"
    return Draft(
        wordings=(
            f"Write a Compose file with the service {name} from {image} and the named volume {store} mounted at {folder}.",
            f"compose: {name}, {image}, volume {store}:{folder}",
            f"Keep the data of {name} ({image}) in the named volume {store}; it is mounted at {folder}.",
        ),
        answer=answer,
        reasoning=(f"service {name} of {image}", f"volume {store} at {folder}, declared"),
        checks=(
            identity("service", name),
            equals("service", name, "image", image),
            contains("service", name, "volumes", {"source": store, "target": folder}),
            exists("volume", store),
        ),
        habits=(
            (f"volumes:\n  {store}: {{}}\n", ""),
            (f"- {store}:{folder}", f"- ./{store}:{folder}"),
        ),
    )


@family("network", difficulty=2)
def network(draw: Draw) -> Draft:
    name, image, net = draw.name(), draw.choice(IMAGES), draw.name()
    answer = f"services:\n  {name}:\n    image: {image}\n    networks:\n      - {net}\nnetworks:\n  {net}:\n    driver: bridge\n"
    return Draft(
        wordings=(
            f"Write a Compose file with the service {name} from {image} on the bridge network {net}.",
            f"compose: {name}, {image}, network {net} (bridge)",
            f"Put {name}, which runs {image}, on a network of its own: {net}, with the bridge driver.",
        ),
        answer=answer,
        reasoning=(f"service {name} of {image}", f"network {net} with driver bridge"),
        checks=(
            identity("service", name),
            equals("service", name, "image", image),
            references("service", name, "networks", "network", net),
            equals("network", net, "driver", "bridge"),
        ),
        habits=(
            (f"networks:\n  {net}:\n    driver: bridge\n", ""),
            (f"    networks:\n      - {net}", f"    net: {net}"),
        ),
    )


@family("restart", difficulty=1)
def restart(draw: Draw) -> Draft:
    name, image, policy = (
        draw.name(),
        draw.choice(IMAGES),
        draw.choice(("unless-stopped", "always", "on-failure")),
    )
    answer = f"services:\n  {name}:\n    image: {image}\n    restart: {policy}\n"
    return Draft(
        wordings=(
            f"Write a Compose file with the service {name} from {image} and the restart policy {policy}.",
            f"compose: {name}, {image}, restart {policy}",
            f"Run {image} as the Compose service {name}; Docker restarts it by the policy {policy}.",
        ),
        answer=answer,
        reasoning=(f"service {name} of {image}", f"restart {policy}"),
        checks=(
            identity("service", name),
            equals("service", name, "image", image),
            equals("service", name, "restart", policy),
        ),
        habits=(nested(answer), ("restart:", "restart_policy:")),
    )


@family("build", difficulty=1)
def build(draw: Draw) -> Draft:
    name, context, file = (
        draw.name(),
        draw.word(),
        draw.choice(("Dockerfile.prod", "Dockerfile.dev", "Containerfile")),
    )
    answer = (
        f"services:\n  {name}:\n    build:\n      context: ./{context}\n      dockerfile: {file}\n"
    )
    return Draft(
        wordings=(
            f"Write a Compose file with the service {name} built from the folder ./{context} with {file}.",
            f"compose: {name}, build ./{context}, dockerfile {file}",
            f"The service {name} has no ready image: build it from ./{context}, where the file is called {file}.",
        ),
        answer=answer,
        reasoning=(f"service {name}", f"build ./{context} with {file}"),
        checks=(
            identity("service", name),
            Check(
                op="matches",
                id="context",
                kind="service",
                name=name,
                path="build.context",
                value=rf"(\./)?{context}/?",
            ),
            equals("service", name, "build.dockerfile", file),
        ),
        habits=(
            (f"    build:\n      context: ./{context}\n", f"    build: ./{context}\n    "),
            ("dockerfile:", "file:"),
        ),
    )


@family("database", difficulty=2)
def database(draw: Draw) -> Draft:
    name, store, (image, secret, folder) = draw.name(), draw.name(), draw.choice(DATABASES)
    answer = (
        f"services:\n  {name}:\n    image: {image}\n    environment:\n      {secret}: ${{{secret}}}\n    volumes:\n"
        f"      - {store}:{folder}\nvolumes:\n  {store}: {{}}\n"
    )
    return Draft(
        wordings=(
            f"Write a Compose file with a {image} database {name}: {secret} from the environment, data in the volume {store} at {folder}.",
            f"compose: {name} {image}, {secret} from env, volume {store}:{folder}",
            f"Our database {name} is {image}. Take {secret} from the host's environment and keep {folder} in the volume {store}.",
        ),
        answer=answer,
        reasoning=(f"service {name} of {image}, {secret}", f"volume {store} at {folder}, declared"),
        checks=(
            identity("service", name),
            equals("service", name, "image", image),
            Check(
                op="matches",
                id="secret",
                kind="service",
                name=name,
                path=f"environment.{secret}",
                value=rf"\$\{{?{secret}.*",
            ),
            contains("service", name, "volumes", {"source": store, "target": folder}),
            exists("volume", store),
        ),
        habits=((f"volumes:\n  {store}: {{}}\n", ""), (f": ${{{secret}}}", ": secret")),
    )


@family("healthcheck", difficulty=2)
def healthcheck(draw: Draw) -> Draft:
    name, image, port, interval = (
        draw.name(),
        draw.choice(IMAGES),
        draw.port(),
        draw.choice(("10s", "15s", "30s", "1m")),
    )
    answer = (
        f'services:\n  {name}:\n    image: {image}\n    healthcheck:\n      test: ["CMD", "curl", "-f", "http://localhost:{port}"]\n'
        f"      interval: {interval}\n"
    )
    return Draft(
        wordings=(
            f"Write a Compose file with the service {name} from {image} whose health is checked by curl on http://localhost:{port} every {interval}.",
            f"compose: {name}, {image}, healthcheck curl http://localhost:{port}, interval {interval}",
            f"{name} runs {image}. Add a healthcheck: curl http://localhost:{port}, each {interval}.",
        ),
        answer=answer,
        reasoning=(f"service {name} of {image}", f"healthcheck on {port}, interval {interval}"),
        checks=(
            identity("service", name),
            equals("service", name, "image", image),
            contains("service", name, "to_string(healthcheck.test)", f"localhost:{port}"),
            equals("service", name, "healthcheck.interval", interval),
        ),
        habits=(("      test: [", "      command: ["), ("healthcheck:", "health_check:")),
    )


@family("read-only-mount", difficulty=1)
def read_only_mount(draw: Draw) -> Draft:
    name, image, folder, target = draw.name(), draw.choice(IMAGES), draw.word(), draw.path()
    answer = (
        f"services:\n  {name}:\n    image: {image}\n    volumes:\n      - ./{folder}:{target}:ro\n"
    )
    return Draft(
        wordings=(
            f"Write a Compose file with the service {name} from {image} that mounts ./{folder} read-only at {target}.",
            f"compose: {name}, {image}, ./{folder} at {target} read-only",
            f"{name} ({image}) reads its files from ./{folder}, mounted at {target}; it must not write there.",
        ),
        answer=answer,
        reasoning=(f"service {name} of {image}", f"./{folder} at {target}, read-only"),
        checks=(
            identity("service", name),
            equals("service", name, "image", image),
            contains(
                "service",
                name,
                "volumes",
                {"source": f"./{folder}", "target": target, "read_only": True},
            ),
        ),
        habits=((":ro\n", "\n"), ("    volumes:", "    volume:")),
    )


@family("command", difficulty=1)
def command(draw: Draw) -> Draft:
    name, image, module = (
        draw.name(),
        draw.choice(("python:3.12-slim", "node:22-alpine")),
        draw.identifier(),
    )
    program = "python" if image.startswith("python") else "node"
    answer = f'services:\n  {name}:\n    image: {image}\n    command: ["{program}", "{module}"]\n'
    return Draft(
        wordings=(
            f"Write a Compose file with the service {name} from {image} and the command {program} {module} as a list.",
            f"compose: {name}, {image}, command [{program}, {module}]",
            f"The Compose service {name} runs {image} with the command {program} {module}; write the command as a list.",
        ),
        answer=answer,
        reasoning=(f"service {name} of {image}", f"command {program} {module}"),
        checks=(
            identity("service", name),
            equals("service", name, "image", image),
            equals("service", name, "command", [program, module]),
        ),
        variant=answer.replace(
            f'["{program}", "{module}"]', f"\n      - {program}\n      - {module}"
        ),
        habits=((f'["{program}", "{module}"]', f"{program} {module}"), ("command:", "cmd:")),
    )


@family("hostname", difficulty=1, held_out=True)
def hostname(draw: Draw) -> Draft:
    name, image, host = draw.name(), draw.choice(IMAGES), draw.name()
    return Draft(
        wordings=(
            f"Write a Compose file with the service {name} from {image} and the hostname {host}.",
            f"compose: {name}, {image}, hostname {host}",
            f"The Compose service {name} runs {image}; inside, the machine is called {host} (hostname).",
        ),
        answer=f"services:\n  {name}:\n    image: {image}\n    hostname: {host}\n",
        reasoning=(f"service {name} of {image}", f"hostname {host}"),
        checks=(
            identity("service", name),
            equals("service", name, "image", image),
            equals("service", name, "hostname", host),
        ),
    )


@family("user", difficulty=1, held_out=True)
def user(draw: Draw) -> Draft:
    name, image, number = draw.name(), draw.choice(IMAGES), draw.number(1000, 9999)
    return Draft(
        wordings=(
            f"Write a Compose file with the service {name} from {image} that runs as user {number}.",
            f"compose: {name}, {image}, user {number}",
            f"{name} runs {image}, but not as root: its user id is {number}. Write the Compose file.",
        ),
        answer=f'services:\n  {name}:\n    image: {image}\n    user: "{number}"\n',
        reasoning=(f"service {name} of {image}", f"user {number}"),
        checks=(
            identity("service", name),
            equals("service", name, "image", image),
            equals("service", name, "user", str(number)),
        ),
    )


@family("labels", difficulty=1, held_out=True)
def labels(draw: Draw) -> Draft:
    name, image, owner, published, target = (
        draw.name(),
        draw.choice(IMAGES),
        draw.word(),
        draw.port(),
        draw.port(),
    )
    return Draft(
        wordings=(
            f"Write a Compose file with the service {name} from {image}, ports {published}:{target} and the label owner={owner}.",
            f"compose: {name}, {image}, {published}:{target}, label owner={owner}",
            f"{name} runs {image}, publishes {target} as {published} and carries the label owner with the value {owner}.",
        ),
        answer=(
            f'services:\n  {name}:\n    image: {image}\n    ports:\n      - "{published}:{target}"\n'
            f"    labels:\n      owner: {owner}\n"
        ),
        reasoning=(f"service {name} of {image}, {published} to {target}", f"label owner: {owner}"),
        checks=(
            identity("service", name),
            equals("service", name, "image", image),
            contains("service", name, "ports", {"published": str(published), "target": target}),
            equals("service", name, "labels.owner", owner),
        ),
    )
