"""Every field of every door gets what no column, wire or tokenizer holds, on either database:
nothing is a 5xx, and whatever was accepted can be read again.

The doors and their fields are those of the OpenAPI document, so that a new one cannot be forgotten.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.db.session import writing
from app.db.tables import Job
from app.jobs.spec import JobSpec
from inframind.generation.engine import Engine
from inframind.stages import STAGES, config_class
from tests.support.guarded import ADAPTER, DAPO, ROWS, Guarded, guarded, own_everything

TEXTS = ["a\0b", "a\ud800b", "\udc00", "", "x" * 70_000, "\u202eevil\U0001f4a9"]
NUMBERS = [-1, 2**31, 2**63, 10**30, 1e300]
OTHERS = [None, True, [], {}, {"\0": ["\0"]}]
CONSTANTS = ["NaN", "-Infinity", "1e400", "9" * 5000]
"""What Python's parser takes for JSON, and some of it is none."""
PARAMETERS = [
    "%00",
    "a%00b",
    "%ff",
    "%ed%a0%80",
    "x" * 3000,
    "-1",
    "9" * 19,
    "9" * 30,
    "1e3",
    "",
    "'",
]
BRANCHES = re.compile(
    r"constrained-.*|function-.*|(list|literal|tuple|dict|nullable)\[.*|str|int|float|bool"
)
"""How a validator names the branches of a union."""
CHECK: dict[str, Any] = {
    "op": "any_of",
    "id": "i",
    "kind": "image",
    "name": "n",
    "where": {"a": 1},
    "path": "user",
    "value": 1,
    "to": {"kind": "image", "name": "n", "where": {"a": 1}},
    "every": True,
    "gate": True,
    "checks": [{"op": "equals", "kind": "image", "path": "user", "value": "app"}],
}
PLAIN_CHECK = CHECK["checks"][0]
SAMPLING = {
    "model": "inframind-nano",
    "temperature": 0.0,
    "top_p": 1.0,
    "n": 1,
    "stop": ["x"],
    "seed": 1,
    "stream": False,
    "stream_options": None,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "user": "u",
    "store": True,
    "metadata": {"k": "v"},
    "max_tokens": 1,
}
HYPERPARAMETERS = {"batch_size": 1, "learning_rate_multiplier": 1.0, "n_epochs": 1}
REINFORCEMENT = {
    **HYPERPARAMETERS,
    "compute_multiplier": 1.0,
    "eval_samples": 1,
    "eval_interval": "auto",
    "reasoning_effort": "default",
}
BODIES: dict[str, list[dict[str, Any]]] = {
    "/jobs": [
        {
            **DAPO,
            "start_from": None,
            "models": None,
            "dataset": "inframind-bench",
            "seed": 0,
            "priority": 0,
            "deadline_seconds": 60.0,
            "name": "n",
            "metadata": {"k": "v"},
            "stages": None,
        },
        *({"stages": [config_class(name)().model_dump(mode="json")]} for name in STAGES),
    ],
    "/verify": [
        {
            "text": "FROM a:1\n",
            "category": "dockerfile",
            "checks": [CHECK],
            "policies": [],
            "format": "file",
            "filename": "Dockerfile",
            "id": "i",
        }
    ],
    "/judge": [
        {
            "kind": "rules",
            "category": "dockerfile",
            "instruction": "x",
            "input": "y",
            "answer": "FROM a:1\n",
            "answers": None,
            "reference": "FROM a:1\n",
            "checks": [PLAIN_CHECK],
        }
    ],
    "/generate": [
        {
            "model": "inframind-nano",
            "prompt": "x",
            "instruction": None,
            "input": "",
            "messages": None,
            "n": 1,
            "temperature": 0.0,
            "top_p": 1.0,
            "max_tokens": 1,
            "seed": 1,
            "stop": ["x"],
            "stream": False,
            "verify": False,
            "best_of": 1,
            "repair": 0,
            "category": None,
            "checks": [],
        }
    ],
    "/v1/completions": [{**SAMPLING, "prompt": ["x"], "logprobs": 0}],
    "/v1/chat/completions": [
        {
            **SAMPLING,
            "messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}],
            "max_completion_tokens": 1,
            "logprobs": False,
            "top_logprobs": None,
            "response_format": {"type": "text"},
        }
    ],
    "/aliases/{alias}": [{"model": "inframind-nano"}],
    "/v1/fine_tuning/jobs": [
        {
            "model": "inframind-nano",
            "training_file": "file",
            "validation_file": None,
            "suffix": "s",
            "seed": 1,
            "metadata": {"k": "v"},
            "method": {"type": "supervised", "supervised": {"hyperparameters": HYPERPARAMETERS}},
            "hyperparameters": None,
            "integrations": None,
        },
        {
            "model": "inframind-nano",
            "training_file": "file",
            "method": {
                "type": "reinforcement",
                "reinforcement": {
                    "grader": {"type": "verifier"},
                    "hyperparameters": REINFORCEMENT,
                    "response_format": None,
                },
            },
        },
        {
            "model": "inframind-nano",
            "training_file": "file",
            "hyperparameters": HYPERPARAMETERS,
        },
    ],
}
"""Every field that a body may have, filled."""


@pytest.fixture
def served(
    database_url: str,
    inference_engine: Engine,
    url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[Guarded, dict[str, str]]]:
    """A service on one of the databases, with one of everything."""
    monkeypatch.setattr(inference_engine.model.generation_config, "max_time", 0.1)
    settings = {
        "database_url": database_url,
        "inference_url": url,
        "rate_limit": "1000000/minute",
        "max_queued_per_owner": 1_000_000,
        "min_free_bytes": 0,
    }
    with guarded(tmp_path / "served", **settings) as service:
        yield service, own_everything(service)


def mutations(value: Any) -> Iterator[Any]:
    """The value with every part of it, one after the other, replaced by every hostile one."""
    yield from (*TEXTS, *NUMBERS, *OTHERS)
    if isinstance(value, dict):
        for key, item in value.items():
            yield from ({**value, key: changed} for changed in mutations(item))
        yield from ({**value, text: "v"} for text in TEXTS)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from (
                [*value[:index], changed, *value[index + 1 :]] for changed in mutations(item)
            )
        yield [*value, *value * 400]


def bodies(whole: dict[str, Any]) -> Iterator[str]:
    """Hostile bodies, as JSON and as what Python takes for it."""
    for changed in mutations(whole):
        yield json.dumps(changed)
    for key in whole:
        yield from (json.dumps({**whole, key: "@"}).replace('"@"', text) for text in CONSTANTS)


def check(service: Guarded, method: str, path: str, **more: Any) -> Any:
    """Sends one request as the first owner. Its answer is no fault of ours, and names a field as
    it was sent."""
    answer = service.call(service.first, method, path, **more)
    assert answer.status_code < 500, (method, path[:200], str(more)[:400], answer.text)
    # The door's own refusal, and not the last net's.
    assert "beyond what can be stored" not in answer.text, (method, path[:200], str(more)[:400])
    if answer.status_code in (400, 422) and answer.text.startswith("{"):
        param = answer.json()["error"]["param"] or ""
        assert not [part for part in param.split(".") if BRANCHES.fullmatch(part)], param
    return answer


@pytest.mark.parametrize("url", ["embedded"], indirect=True)
def test_no_field_makes_a_fault_or_spoils_what_is_read(
    served: tuple[Guarded, dict[str, str]],
) -> None:
    service, ids = served
    document = service.app.openapi()
    json_bodies = send_bodies(service, ids, document)
    assert json_bodies == set(BODIES), "a door without a body here"
    send_parameters(service, ids, document)
    send_uploads(service)
    read_everything(service, ids, document)


def send_bodies(service: Guarded, ids: dict[str, str], document: dict[str, Any]) -> set[str]:
    """Sends every door its hostile bodies, and gives the doors."""
    doors = set()
    headers = {"content-type": "application/json"}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            form = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if form is None:
                continue
            doors.add(path)
            named = set().union(*BODIES[path])
            assert set(fields_of(form["schema"], document)) <= named, path
            address = path.format(**ids)
            for whole in BODIES[path]:
                filled = {
                    **whole,
                    **({"training_file": ids["file_id"]} if "training_file" in whole else {}),
                }
                for body in bodies(filled):
                    check(service, method, address, content=body.encode(), headers=headers)
            for kind in (
                "text/plain",
                "application/x-www-form-urlencoded",
                "multipart/form-data",
                "",
            ):
                content = json.dumps(BODIES[path][0]).encode()
                check(service, method, address, content=content, headers={"content-type": kind})
            for encoding in ("utf-16", "utf-32", "utf-8-sig", "latin-1"):
                content = json.dumps({"name": "a\0\ud800é"}, ensure_ascii=False)
                raw = content.encode(
                    encoding, "surrogatepass" if encoding != "latin-1" else "replace"
                )
                check(service, method, address, content=raw, headers=headers)
    return doors


def fields_of(schema: dict[str, Any], document: dict[str, Any]) -> list[str]:
    name = schema["$ref"].rpartition("/")[2]
    return list(document["components"]["schemas"][name]["properties"])


def send_parameters(service: Guarded, ids: dict[str, str], document: dict[str, Any]) -> None:
    """Sends every parameter of every route, and the free ones, hostile values."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                name = parameter["name"]
                for value in PARAMETERS:
                    if parameter["in"] == "path":
                        others = {**ids, name: value or "-"}
                        check(service, method, path.format(**others))
                    elif parameter["in"] == "query":
                        check(service, method, f"{path.format(**ids)}?{name}={value}")
                    else:
                        header = {name: value.replace("%00", "\x7f")}
                        check(service, method, path.format(**ids), headers=header)
    for value in ("%00", "%22", "%22.x", "a%5c", "$", "a.b[0]", "x" * 64, "%f0%9f%92%a9"):
        check(service, "GET", f"/v1/fine_tuning/jobs?metadata[{value}]=b")
        check(service, "GET", f"/v1/fine_tuning/jobs?metadata[k]={value}")


def send_uploads(service: Guarded) -> None:
    """Sends datasets and files with hostile rows, names and forms."""
    rows = [json.loads(line) for line in ROWS.splitlines()]
    first = {
        **rows[0],
        "input": "i",
        "system": "s",
        "category": "dockerfile",
        "checks": [PLAIN_CHECK],
    }
    for row in mutations(first):
        content = f"{json.dumps(row)}\n{json.dumps(rows[1])}\n".encode()
        # Only what its file's form lets through costs the verifier time.
        kind = {"content-type": "application/jsonl"}
        check(service, "POST", "/datasets", content=content, headers=kind)
    for name in (b"a\x00b", b"a\xff\xfeb", b"a" * 5000, "\U0001f4a9".encode(), b""):
        assert check(service, "POST", "/v1/files", **form(name)).status_code in (200, 400)
    for purpose in (b"\x00", b"x" * 5000, b"\xff"):
        check(service, "POST", "/v1/files", **form(b"x", purpose=purpose))
    for charset in ("idna", "punycode", "undefined", "unicode_escape", "utf-7", "base64", "utf-16"):
        named = form(rb"a\ud800\x00b", charset=f"; charset={charset}")
        check(service, "POST", "/v1/files", **named)
    for content in (b"", b"--XX\r\nbroken", b"--XX--", form(b"x")["content"] * 2000):
        check(service, "POST", "/v1/files", **{**form(b"x"), "content": content})


def form(name: bytes, purpose: bytes = b"fine-tune", charset: str = "") -> dict[str, Any]:
    """An upload as multipart, byte by byte."""
    parts = (
        (b'form-data; name="purpose"', purpose),
        (b'form-data; name="file"; filename="' + name + b'"', ROWS.encode()),
    )
    content = b"".join(
        b"--XX\r\nContent-Disposition: " + head + b"\r\n\r\n" + body + b"\r\n"
        for head, body in parts
    )
    kind = f"multipart/form-data; boundary=XX{charset}"
    return {"content": content + b"--XX--\r\n", "headers": {"content-type": kind}}


def read_everything(service: Guarded, ids: dict[str, str], document: dict[str, Any]) -> None:
    """Reads every list to its end, and all that is behind it: nothing accepted is unreadable."""
    for key in (service.first, service.admin):
        for path, operations in document["paths"].items():
            if "get" in operations and path != "/readyz":
                answer = service.call(key, "GET", path.format(**ids))
                assert answer.status_code < 500, (path, answer.text)
        for path in (
            "/jobs",
            "/v1/fine_tuning/jobs",
            "/datasets",
            "/v1/files",
            "/aliases",
            "/models",
        ):
            for row in pages(service, key, path):
                name = row.get("id") or row["name"]
                answer = service.call(key, "GET", f"{path}/{name}")
                assert answer.status_code == 200, (path, name, answer.text)
        filtered = service.call(key, "GET", "/v1/fine_tuning/jobs?metadata[k]=v")
        assert filtered.status_code == 200 and filtered.json()["data"]


def pages(service: Guarded, key: str, path: str) -> Iterator[dict[str, Any]]:
    after = ""
    while True:
        page = service.call(key, "GET", f"{path}?limit=500{after}").json()
        yield from page["data"]
        if not page["has_more"]:
            return
        after = f"&after={page['last_id']}"


@pytest.mark.parametrize("url", ["embedded"], indirect=True)
def test_rows_that_an_earlier_version_took_spoil_no_list(
    served: tuple[Guarded, dict[str, str]],
) -> None:
    """A NUL in metadata, and a stage that this version does not know."""
    service, ids = served
    body = {"model": ADAPTER, "training_file": ids["file_id"], "metadata": {"k": "v"}}
    newer = service.call(service.first, "POST", "/v1/fine_tuning/jobs", json=body).json()["id"]
    old = ids["fine_tuning_job_id"]
    with writing(service.engine) as session:
        job = session.get_one(Job, old.removeprefix("ftjob-"))
        job.meta, job.stages = {"k": "\0", "z": "v"}, [{"stage": "ppo"}]
    for key in (service.first, service.admin):
        for name in ("k", "z"):
            path = f"/v1/fine_tuning/jobs?metadata[{name}]=v"
            filtered = service.call(key, "GET", path)
            assert filtered.status_code == 200, filtered.text
            shown = [row["id"] for row in filtered.json()["data"]]
            assert shown == ([newer] if name == "k" else [])
        for path in ("", "/events", "/checkpoints"):
            answer = service.call(key, "GET", f"/v1/fine_tuning/jobs/{old}{path}")
            assert answer.status_code == 200, answer.text
        assert service.call(key, "GET", "/v1/fine_tuning/jobs").status_code == 200
    many = "&".join(f"metadata[k{index}]=v" for index in range(17))
    refused = service.call(service.first, "GET", f"/v1/fine_tuning/jobs?{many}")
    assert refused.status_code == 400 and refused.json()["error"]["param"] == "metadata"


def test_ranges_are_those_of_the_columns() -> None:
    """What a body lets through as a text, its column holds."""
    for name, field in JobSpec.model_json_schema()["properties"].items():
        column = Job.__table__.columns.get(name)
        longest = getattr(column.type, "length", None) if column is not None else None
        if longest is None or name == "start_from":
            # A name of a model becomes its id before it is stored.
            continue
        forms = field.get("anyOf", [field])
        assert all(form.get("maxLength", 0) <= longest for form in forms), name
