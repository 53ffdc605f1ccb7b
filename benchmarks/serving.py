"""Measure the cost of serving through the api and of the embedded engine.

`python benchmarks/serving.py [--rounds 5] [--clients 32] [--engine vllm|embedded]`. Prints JSON.

Everything is measured in turns in one run, so that a machine that others use too slows both sides:
`/generate` through the api and the same inference server called directly, the embedded server and
transformers' own batched `generate`.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from app.db.migrate import upgrade
from app.db.session import make_engine
from inframind.bench.load import load_tasks
from inframind.bench.prompt import prompt
from inframind.generation.encoding import encode
from inframind.generation.template import render
from inframind.models.nano import WEIGHTS
from workers.process import stop
from workers.up import free_port

BASE = "inframind-nano"
HOST = "127.0.0.1"
VLLM = Path(__file__).parents[1] / ".venv-vllm" / "bin" / "python"
IN_ONE_PROCESS = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "OMP_NUM_THREADS": "1"}
"""vLLM's CPU build else has engine and worker wait for each other in sched_yield loops, which
starve whoever shares their cores.
"""
MAX_TOKENS = 64
REQUESTS_A_CLIENT = 16
"""In a turn with many clients.

With two, a turn is mostly its beginning, when all come at once, and its end, when few are left.
"""
START_SECONDS = 600.0


def prompts(count: int) -> list[str]:
    """Held-out tasks as the model sees them."""
    return [
        render(BASE, prompt(task))
        for task in load_tasks("test-values", max_difficulty=2, limit=count)
    ]


@contextmanager
def server(command: Sequence[str], health: str, env: dict[str, str]) -> Iterator[int]:
    """A server process; its process id once it answers."""
    process = subprocess.Popen(
        command,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(health):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{command[2]} does not start")
            time.sleep(0.2)
        yield process.pid
    finally:
        stop(process, 5.0)


def answers(url: str) -> bool:
    """Tell if a health route answers 200."""
    try:
        return httpx.get(url, trust_env=False, timeout=5.0).status_code == 200
    except httpx.HTTPError:
        return False


def inference(engine: str, port: int) -> tuple[list[str], dict[str, str]]:
    """The command of an inference server, and its environment."""
    if engine == "embedded":
        return [sys.executable, "-m", "workers.inference.server", "--port", str(port)], dict(
            os.environ
        )
    command = [
        str(VLLM),
        "-m",
        "vllm.entrypoints.openai.api_server",
        "--model",
        str(WEIGHTS),
        "--served-model-name",
        BASE,
        "--dtype",
        "float32",
        "--enforce-eager",
        "--host",
        HOST,
        "--port",
        str(port),
    ]
    return command, {
        **os.environ,
        **IN_ONE_PROCESS,
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_NO_USAGE_STATS": "1",
    }


class Side:
    """One way to ask: the api, or the inference server behind it."""

    def __init__(self, url: str, path: str, extra: dict[str, Any], *, tokens: bool = False) -> None:
        self._path, self._extra, self._tokens = path, extra, tokens
        limits = httpx.Limits(max_connections=None)
        self._http = httpx.AsyncClient(base_url=url, timeout=600.0, trust_env=False, limits=limits)

    async def whole(self, text: str, **fields: Any) -> float:
        """Seconds of one answer."""
        started = time.perf_counter()
        answer = await self._http.post(self._path, json={**self._body(text), **fields})
        answer.raise_for_status()
        return time.perf_counter() - started

    async def first_token(self, text: str) -> float:
        """Seconds to the first event of a stream."""
        started = time.perf_counter()
        async with self._http.stream(
            "POST", self._path, json={**self._body(text), "stream": True}
        ) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    break
            return time.perf_counter() - started

    async def crowd(self, texts: Sequence[str], clients: int) -> float:
        """Requests per second of so many clients."""
        waiting = iter(texts)

        async def client() -> None:
            for text in waiting:
                await self.whole(text)

        started = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(clients)))
        return len(texts) / (time.perf_counter() - started)

    def _body(self, text: str) -> dict[str, Any]:
        # The api sends tokens. A server that splits text in its own way would be asked something
        # else, and answer at other length.
        prompt = encode(BASE, text) if self._tokens else text
        return {"prompt": prompt, "max_tokens": MAX_TOKENS, "temperature": 0, **self._extra}

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()


def cpu_seconds(pid: int) -> float:
    """Processor time of one process, without its children's."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def compare(
    api: Side, direct: Side, api_pid: int, rounds: int, clients: int
) -> dict[str, Any]:
    """The api's side against the direct one, in turns."""
    crowded = prompts(REQUESTS_A_CLIENT * clients)
    texts = crowded[: 2 * clients]
    for side in (api, direct):
        await side.crowd(texts[:4], 2)
    first: dict[str, list[float]] = {"api": [], "direct": []}
    for text in texts[: 8 * rounds]:
        first["direct"].append(await direct.first_token(text))
        first["api"].append(await api.first_token(text))
    plain, verified = [], []
    for text in texts:
        plain.append(await api.whole(text))
        verified.append(await api.whole(text, verify=True, category="terraform"))
    rates: dict[str, list[float]] = {"api": [], "direct": []}
    cpu = 0.0
    for _ in range(rounds):
        rates["direct"].append(await direct.crowd(crowded, clients))
        # With many at once: a process that waits for a slow engine has its own ticks, which are no
        # request's.
        before = cpu_seconds(api_pid)
        rates["api"].append(await api.crowd(crowded, clients))
        cpu += cpu_seconds(api_pid) - before
    added = sorted(
        mine - theirs for mine, theirs in zip(first["api"], first["direct"], strict=True)
    )
    beside = sorted(mine - theirs for mine, theirs in zip(verified, plain, strict=True))
    return {
        "first_token_ms": {name: milliseconds(values) for name, values in first.items()},
        "first_token_added_ms": milliseconds(added),
        "api_cpu_ms_per_request": round(1000 * cpu / (rounds * len(crowded)), 2),
        "verification_added_ms": milliseconds(beside),
        "requests_per_second": {
            name: round(statistics.median(values), 2) for name, values in rates.items()
        },
        "throughput_ratios": [
            round(a / d, 2) for a, d in zip(rates["api"], rates["direct"], strict=True)
        ],
        "throughput_ratio": round(
            statistics.median(a / d for a, d in zip(rates["api"], rates["direct"], strict=True)), 3
        ),
        "clients": clients,
    }


def milliseconds(seconds: Sequence[float]) -> float:
    """Give the median in milliseconds."""
    return round(statistics.median(seconds) * 1000, 2)


def through_the_api(engine: str, rounds: int, clients: int) -> dict[str, Any]:
    """An inference server, the api in front of it, and both asked."""
    with tempfile.TemporaryDirectory() as folder:
        ports = free_port(HOST), free_port(HOST)
        urls = [f"http://{HOST}:{port}" for port in ports]
        env = {
            **os.environ,
            "INFRAMIND_DATA_DIR": folder,
            "INFRAMIND_INFERENCE_URL": urls[0],
            "INFRAMIND_RATE_LIMIT": "1000000/minute",
        }
        database = make_engine(f"sqlite:///{folder}/inframind.db")
        upgrade(database)
        database.dispose()
        command, its_env = inference(engine, ports[0])
        serve = [sys.executable, "-m", "workers.api", "--host", HOST, "--port", str(ports[1])]
        with (
            server(command, f"{urls[0]}/health", its_env),
            server(serve, f"{urls[1]}/healthz", env) as pid,
        ):

            async def run() -> dict[str, Any]:
                direct = Side(
                    urls[0],
                    "/v1/completions",
                    {"model": BASE, "skip_special_tokens": False},
                    tokens=True,
                )
                api = Side(urls[1], "/generate", {})
                try:
                    return await compare(api, direct, pid, rounds, clients)
                finally:
                    await direct.close()
                    await api.close()

            return asyncio.run(run())


def plain() -> None:
    """transformers as its documentation shows it, with the embedded server's threads and priority;
    a line in, a rate out.
    """
    import torch
    from transformers import AutoModelForCausalLM

    from inframind.models.tokenizer import load_tokenizer

    os.nice(5)
    torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) // 2))
    tokenizer = load_tokenizer(BASE, padding_side="left")
    model: Any = AutoModelForCausalLM.from_pretrained(str(WEIGHTS), dtype=torch.float32).eval()
    for line in sys.stdin:
        texts = prompts(int(line))
        started = time.perf_counter()
        encoded = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)
        with torch.inference_mode():
            sequences = model.generate(**encoded, max_new_tokens=MAX_TOKENS, do_sample=False)
        tokenizer.batch_decode(
            sequences[:, encoded["input_ids"].shape[1] :], skip_special_tokens=True
        )
        print(len(texts) / (time.perf_counter() - started), flush=True)


def embedded_against_plain(rounds: int, clients: int) -> dict[str, Any]:
    """The same greedy requests, all at once: over HTTP to the embedded server, and in one batch of
    `generate`.
    """
    port = free_port(HOST)
    url = f"http://{HOST}:{port}"
    command, env = inference("embedded", port)
    alone = [sys.executable, __file__, "--only", "plain"]
    rates: dict[str, list[float]] = {"embedded": [], "transformers": []}
    with (
        server(command, f"{url}/health", env),
        subprocess.Popen(
            alone,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as other,
    ):
        assert other.stdin and other.stdout

        def in_one_batch() -> float:
            assert other.stdin and other.stdout
            other.stdin.write(f"{clients}\n")
            other.stdin.flush()
            return float(other.stdout.readline())

        async def over_http() -> float:
            side = Side(url, "/v1/completions", {"model": BASE})
            try:
                return await side.crowd(prompts(clients), clients)
            finally:
                await side.close()

        for _ in range(rounds + 1):
            rates["embedded"].append(asyncio.run(over_http()))
            rates["transformers"].append(in_one_batch())
        other.stdin.close()
    # The first turn warms up.
    mine, theirs = rates["embedded"][1:], rates["transformers"][1:]
    return {
        "requests_per_second": {
            "embedded": round(statistics.median(mine), 2),
            "transformers": round(statistics.median(theirs), 2),
        },
        "ratio": round(statistics.median(a / b for a, b in zip(mine, theirs, strict=True)), 3),
        "ratios": [round(a / b, 3) for a, b in zip(mine, theirs, strict=True)],
        "requests": clients,
    }


def main() -> None:
    """Measure the chosen parts and print the report as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument(
        "--engine", choices=["vllm", "embedded"], default="vllm" if VLLM.is_file() else "embedded"
    )
    parser.add_argument(
        "--only",
        choices=["api", "engine", "plain"],
        help="One part; `plain` is for this benchmark's own use.",
    )
    options = parser.parse_args()
    if options.only == "plain":
        plain()
        return
    report: dict[str, Any] = {
        "engine": options.engine,
        "cores": len(os.sched_getaffinity(0)),
        "machine": platform.machine(),
    }
    if options.only != "engine":
        report["api"] = through_the_api(options.engine, options.rounds, options.clients)
    if options.only != "api":
        report["embedded"] = embedded_against_plain(options.rounds, options.clients)
    report["load_average"] = os.getloadavg()[0]
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
