"""Task families for Compose files of several services."""

from textwrap import dedent

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
from inframind.categories.compose.families.basics import IMAGES, nested
from inframind.types import Check

FAMILIES = Families("compose")
family = FAMILIES.family


def healthy(name: str, store: str) -> Check:
    """The service waits until the other is healthy."""
    return equals("service", name, f'depends_on."{store}".condition', "service_healthy")


@family("app-and-database", difficulty=3)
def app_and_database(draw: Draw) -> Draft:
    name, store, image, port, base = (
        draw.name(),
        draw.name(),
        draw.choice(IMAGES),
        draw.port(),
        draw.word(),
    )
    answer = dedent(f"""\
        services:
          {name}:
            image: {image}
            ports:
              - "{port}:80"
            environment:
              DATABASE_URL: postgres://{store}:5432/{base}
            depends_on:
              {store}:
                condition: service_healthy
          {store}:
            image: postgres:16
            environment:
              POSTGRES_DB: {base}
              POSTGRES_PASSWORD_FILE: /run/secrets/password
            secrets: [password]
            volumes:
              - data:/var/lib/postgresql/data
            healthcheck:
              test: ["CMD-SHELL", "pg_isready -d {base}"]
              interval: 10s
        volumes:
          data: {{}}
        secrets:
          password:
            file: ./password.txt
        """)
    return Draft(
        wordings=(
            f"Write a Compose file: {name} ({image}, host port {port} to 80, DATABASE_URL postgres://{store}:5432/{base}) waits until {store} is healthy. {store} runs postgres:16 with the database {base}, "
            "its password from the secret password (file ./password.txt), its files in the volume data, and a pg_isready check every 10s.",
            f"compose: {name} {image} {port}:80 DATABASE_URL=postgres://{store}:5432/{base}, depends on healthy {store}; {store}: postgres:16 db {base}, secret password (./password.txt), volume data, healthcheck pg_isready 10s",
            f"{name} ({image}) listens on {port} (80 inside) and finds its database at postgres://{store}:5432/{base} (DATABASE_URL); it starts when {store} is healthy. {store} is postgres:16 with POSTGRES_DB {base}, "
            "POSTGRES_PASSWORD_FILE from the secret password in ./password.txt, named volume data, pg_isready every 10s.",
        ),
        answer=answer,
        reasoning=(f"{name}: {image}, {port}:80, DATABASE_URL", f"waits for {store} to be healthy", f"{store}: postgres:16, database {base}, secret, volume, pg_isready"),
        checks=(
            identity("service", name),
            equals("service", name, "image", image),
            contains("service", name, "ports", {"published": str(port), "target": 80}),
            equals("service", name, "environment.DATABASE_URL", f"postgres://{store}:5432/{base}"),
            healthy(name, store),
            equals("service", store, "image", "postgres:16"),
            equals("service", store, "environment.POSTGRES_DB", base),
            equals("service", store, "environment.POSTGRES_PASSWORD_FILE", "/run/secrets/password"),
            references("service", store, "secrets", "secret", "password"),
            contains("service", store, "volumes", {"source": "data", "target": "/var/lib/postgresql/data"}),
            equals("service", store, "healthcheck.interval", "10s"),
            exists("volume", "data"),
            equals("secret", "password", "file", "./password.txt"),
        ),
        variant=answer.replace(f"DATABASE_URL: postgres://{store}:5432/{base}", f"- DATABASE_URL=postgres://{store}:5432/{base}"),
        habits=(nested(answer), ("POSTGRES_PASSWORD_FILE: /run/secrets/password", "POSTGRES_PASSWORD: secret"), ("        condition: service_healthy\n", "        condition: service_started\n")),
    )  # fmt: skip


@family("split-networks", difficulty=3)
def split_networks(draw: Draw) -> Draft:
    proxy, name, store = draw.name(), draw.name(), draw.name()
    front, back, image, port = draw.name(), draw.name(), draw.choice(IMAGES), draw.port()
    answer = dedent(f"""\
        services:
          {proxy}:
            image: caddy:2.8
            ports:
              - "{port}:443"
            networks: [{front}]
          {name}:
            image: {image}
            networks: [{front}, {back}]
          {store}:
            image: redis:7.4
            networks: [{back}]
        networks:
          {front}: {{}}
          {back}:
            internal: true
        """)
    return Draft(
        wordings=(
            f"Write a Compose file: {proxy} (caddy:2.8, {port} to 443) on the network {front}, {name} ({image}) on {front} and {back}, {store} (redis:7.4) on {back} only; {back} is internal.",
            f"compose: {proxy} caddy:2.8 {port}:443 [{front}]; {name} {image} [{front},{back}]; {store} redis:7.4 [{back}]; {back} internal",
            f"Only {proxy} (caddy:2.8, host port {port} to 443) may be reached from outside. {name} ({image}) sits between the networks {front} and {back}; {store} (redis:7.4) is alone with it in the internal network {back}.",
        ),
        answer=answer,
        reasoning=(f"{proxy} on {front}", f"{name} on both", f"{store} on {back}, which is internal"),
        checks=(
            identity("service", proxy),
            equals("service", proxy, "image", "caddy:2.8"),
            contains("service", proxy, "ports", {"published": str(port), "target": 443}),
            references("service", proxy, "networks", "network", front),
            equals("service", name, "image", image),
            references("service", name, "networks", "network", front),
            references("service", name, "networks", "network", back),
            equals("service", store, "image", "redis:7.4"),
            references("service", store, "networks", "network", back),
            equals("service", store, "keys(networks)", [back]),
            absent("service", store, "ports"),
            equals("network", back, "internal", True),
        ),
        habits=(
            nested(answer),
            ("    internal: true\n", "    driver: bridge\n"),
            (f"networks: [{back}]", f"networks: [{front}, {back}]"),
            ("    image: redis:7.4\n", '    image: redis:7.4\n    ports:\n      - "6379:6379"\n'),
        ),
        variant=answer.replace(f"networks: [{front}, {back}]", f"networks:\n      {back}: {{}}\n      {front}: {{}}"),
    )  # fmt: skip


@family("hardened-service", difficulty=3)
def hardened_service(draw: Draw) -> Draft:
    name, image, user, folder = (
        draw.name(),
        draw.choice(IMAGES),
        draw.number(1001, 60000),
        draw.path(),
    )
    memory, cpus = draw.choice((128, 256, 512)), draw.choice(("0.25", "0.50", "1.50"))
    answer = dedent(f"""\
        services:
          {name}:
            image: {image}
            user: "{user}"
            read_only: true
            cap_drop: [ALL]
            security_opt:
              - no-new-privileges:true
            tmpfs:
              - {folder}
            deploy:
              resources:
                limits:
                  cpus: "{cpus}"
                  memory: {memory}M
        """)
    limits = "deploy.resources.limits"
    return Draft(
        wordings=(
            f"Write a hardened Compose service {name} from {image}: user {user}, read-only root, no capabilities, no new privileges, a tmpfs at {folder}, limits of {cpus} CPUs and {memory}M.",
            f"compose {name} {image}: user {user}, read_only, cap_drop ALL, no-new-privileges, tmpfs {folder}, limits {cpus} cpu {memory}M",
            f"{name} runs {image} as user {user} and may write to {folder} in memory only. Drop all capabilities, set no-new-privileges, and limit it to {cpus} CPUs and {memory}M (deploy.resources).",
        ),
        answer=answer,
        reasoning=(f"{name}: {image} as {user}, read-only", "cap_drop ALL, no-new-privileges", f"tmpfs {folder}", f"limits {cpus}, {memory}M"),
        checks=(
            identity("service", name),
            equals("service", name, "image", image),
            Check(op="matches", id="user", kind="service", name=name, path="user", value=rf"{user}(:\d+)?"),
            equals("service", name, "read_only", True),
            contains("service", name, "cap_drop", "ALL"),
            Check(op="exists", id="privileges", kind="service", name=name, path="security_opt[?starts_with(@, 'no-new-privileges')]"),
            Check(op="any_of", id="tmpfs", checks=(contains("service", name, "tmpfs", folder), equals("service", name, "tmpfs", folder))),
            Check(op="one_of", id="cpus", kind="service", name=name, path=f"{limits}.cpus", value=[cpus, float(cpus)]),
            Check(op="one_of", id="memory", kind="service", name=name, path=f"{limits}.memory", value=[f"{memory}M", f"{memory}m", f"{memory}MB"]),
        ),
        variant=answer.replace(f"tmpfs:\n      - {folder}", f"tmpfs: {folder}").replace("cap_drop: [ALL]", "cap_drop:\n      - ALL"),
        habits=(nested(answer), ("    cap_drop: [ALL]\n", "    privileged: true\n"), ("    read_only: true\n", "")),
    )  # fmt: skip


@family("one-shot-migration", difficulty=4)
def one_shot_migration(draw: Draw) -> Draft:
    name, job, store, tag = draw.name(), draw.name(), draw.name(), f"1.{draw.number(101, 990)}"
    answer = dedent(f"""\
        services:
          {store}:
            image: mariadb:11
            environment:
              MARIADB_RANDOM_ROOT_PASSWORD: "1"
            healthcheck:
              test: ["CMD", "healthcheck.sh", "--connect"]
              interval: 5s
              retries: 12
          {job}:
            image: registry.example.com/{name}:{tag}
            command: ["migrate"]
            restart: "no"
            depends_on:
              {store}:
                condition: service_healthy
          {name}:
            image: registry.example.com/{name}:{tag}
            restart: unless-stopped
            depends_on:
              {job}:
                condition: service_completed_successfully
        """)
    image = f"registry.example.com/{name}:{tag}"
    return Draft(
        wordings=(
            f"Write a Compose file: {store} (mariadb:11, random root password, healthcheck.sh --connect every 5s, 12 retries); {job} runs {image} with the command migrate once {store} is healthy and never restarts; "
            f"{name} runs the same image after {job} completed successfully and restarts unless stopped.",
            f"compose: {store} mariadb:11 (random root pw, healthcheck healthcheck.sh --connect 5s x12) -> {job}: {image} migrate, restart no -> {name}: {image} after success, restart unless-stopped",
            f"The image {image} serves {name}, but first {job} must migrate the database (command migrate, restart no). {job} waits for a healthy {store}: mariadb:11, MARIADB_RANDOM_ROOT_PASSWORD=1, "
            f"healthcheck.sh --connect, interval 5s, 12 retries. {name} starts when {job} has succeeded, and restarts unless stopped.",
        ),
        answer=answer,
        reasoning=(f"{store}: mariadb:11 with a health check", f"{job}: migrate once, after {store}", f"{name}: after {job} succeeded"),
        checks=(
            identity("service", name),
            equals("service", name, "image", image),
            equals("service", name, "restart", "unless-stopped"),
            equals("service", name, f'depends_on."{job}".condition', "service_completed_successfully"),
            equals("service", job, "image", image),
            Check(op="one_of", id="command", kind="service", name=job, path="command", value=[["migrate"], "migrate"]),
            Check(op="any_of", id="restart", checks=(equals("service", job, "restart", "no"), absent("service", job, "restart"))),
            healthy(job, store),
            equals("service", store, "image", "mariadb:11"),
            equals("service", store, "environment.MARIADB_RANDOM_ROOT_PASSWORD", "1"),
            equals("service", store, "healthcheck.test", ["CMD", "healthcheck.sh", "--connect"]),
            equals("service", store, "healthcheck.interval", "5s"),
            equals("service", store, "healthcheck.retries", 12),
        ),
        variant=answer.replace('command: ["migrate"]', "command: migrate"),
        habits=(nested(answer), ("service_completed_successfully", "service_started"), ('    restart: "no"\n', "    restart: always\n")),
    )  # fmt: skip


@family("gpu-training", difficulty=3)
def gpu_training(draw: Draw) -> Draft:
    name, folder, count, size = (
        draw.name(),
        draw.path(),
        draw.integer(1, 8),
        draw.choice((2, 4, 6, 9)),
    )
    image = draw.choice(
        (
            "pytorch/pytorch:2.7.0-cuda12.6-cudnn9-runtime",
            "nvcr.io/nvidia/pytorch:25.03-py3",
            "vllm/vllm-openai:v0.9.1",
        )
    )
    answer = dedent(f"""\
        services:
          {name}:
            image: {image}
            shm_size: {size}gb
            volumes:
              - weights:{folder}
            deploy:
              resources:
                reservations:
                  devices:
                    - driver: nvidia
                      count: {count}
                      capabilities: [gpu]
        volumes:
          weights: {{}}
        """)
    devices = "deploy.resources.reservations.devices"
    return Draft(
        wordings=(
            f"Write a Compose service {name} from {image} that reserves {count} NVIDIA GPUs, has {size}gb of shared memory and keeps the volume weights at {folder}.",
            f"compose {name}: {image}, {count} nvidia gpu, shm {size}gb, volume weights:{folder}",
            f"{name} trains on {count} GPUs (driver nvidia) with {image}. Give it a shared memory of {size}gb; the named volume weights belongs at {folder}.",
        ),
        answer=answer,
        reasoning=(f"{name}: {image}", f"{count} devices of nvidia, capability gpu", f"shm {size}gb, weights at {folder}"),
        checks=(
            identity("service", name),
            equals("service", name, "image", image),
            contains("service", name, devices, {"driver": "nvidia", "count": count, "capabilities": ["gpu"]}),
            Check(op="matches", id="shm", kind="service", name=name, path="shm_size", value=rf"{size}(g|gb|G|GB)"),
            contains("service", name, "volumes", {"source": "weights", "target": folder}),
            exists("volume", "weights"),
        ),
        variant=answer.replace("capabilities: [gpu]", 'capabilities: ["gpu"]').replace(f"shm_size: {size}gb", f"shm_size: {size}g"),
        habits=(nested(answer), ("    deploy:", "    runtime: nvidia\n    x-deploy:"), ("              capabilities: [gpu]\n", "              capabilities: [compute]\n")),
    )  # fmt: skip


@family("worker-pool", difficulty=3, held_out=True)
def worker_pool(draw: Draw) -> Draft:
    name, queue, copies, seconds = (
        draw.name(),
        draw.name(),
        draw.integer(2, 9),
        draw.number(31, 300),
    )
    image = draw.choice(IMAGES)
    answer = dedent(f"""\
        services:
          {queue}:
            image: redis:7.4
            command: ["redis-server", "--appendonly", "yes"]
            volumes:
              - queue:/data
          {name}:
            image: {image}
            stop_grace_period: {seconds}s
            deploy:
              replicas: {copies}
            depends_on: [{queue}]
        volumes:
          queue: {{}}
        """)
    return Draft(
        wordings=(
            f"Write a Compose file: {queue} is redis:7.4 started as redis-server --appendonly yes with the volume queue at /data; {copies} replicas of {name} ({image}) depend on it and get {seconds}s to stop.",
            f"compose: {queue} redis:7.4 'redis-server --appendonly yes' volume queue:/data; {name} {image} x{copies}, stop_grace_period {seconds}s, depends_on {queue}",
            f"{copies} copies of {name} ({image}) work on the queue {queue} and need {seconds}s to finish when they are stopped. {queue} keeps its data: redis:7.4, redis-server --appendonly yes, named volume queue at /data.",
        ),
        answer=answer,
        reasoning=(f"{queue}: redis:7.4, append only, volume queue", f"{name}: {copies} x {image}, {seconds}s to stop, depends on {queue}"),
        checks=(
            identity("service", name),
            equals("service", name, "image", image),
            equals("service", name, "deploy.replicas", copies),
            equals("service", name, "stop_grace_period", f"{seconds}s"),
            references("service", name, "depends_on", "service", queue),
            equals("service", queue, "image", "redis:7.4"),
            Check(op="one_of", id="command", kind="service", name=queue, path="command", value=[["redis-server", "--appendonly", "yes"], "redis-server --appendonly yes"]),
            contains("service", queue, "volumes", {"source": "queue", "target": "/data"}),
        ),
        variant=answer.replace('["redis-server", "--appendonly", "yes"]', "redis-server --appendonly yes"),
        habits=(nested(answer), (f"    depends_on: [{queue}]\n", f"    links: [{queue}]\n"), (f"      replicas: {copies}\n", "      replicas: 1\n")),
    )  # fmt: skip
