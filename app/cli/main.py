"""The command `inframind`: the library's commands, and those that start the service or speak to it over HTTP."""

import importlib.util
import io
import json
import os
import shutil
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from app.cli.judge import app as judging
from app.job_state import TERMINAL, JobState
from inframind.cli import app
from inframind.errors import InfraMindError

if TYPE_CHECKING:
    import httpx
    from sqlalchemy import Engine

NEEDED = {
    "service": ("fastapi", "sqlalchemy", "httpx", "alembic"),
    "train": ("torch", "transformers", "trl", "peft"),
}
console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)
datasets = typer.Typer(help="Bring your own tasks.", no_args_is_help=True)
jobs = typer.Typer(
    help="Create, list, show, follow and cancel jobs of a running service.", no_args_is_help=True
)
keys = typer.Typer(help="API keys of the service.", no_args_is_help=True)
models = typer.Typer(
    help="List, show, alias, compare, delete and export models of a running service.",
    no_args_is_help=True,
)
database = typer.Typer(help="Bring the database to another version.", no_args_is_help=True)
app.add_typer(jobs, name="jobs")
app.add_typer(datasets, name="datasets")
app.add_typer(models, name="models")
app.add_typer(database, name="db")
app.add_typer(keys, name="keys")
app.add_typer(judging, name="judge")
Url = Annotated[str, typer.Option("--url", envvar="INFRAMIND_URL", help="Where the service is.")]
API_KEY = "INFRAMIND_API_KEY"
"""The environment variable with the key for a service that needs one: an option would show in the list of processes."""
LOCAL = "http://127.0.0.1:8000"


def need(*extras: str) -> None:
    """Ends with the remedy if an extra is not installed."""
    missing = [
        name
        for name in extras
        if not all(importlib.util.find_spec(module) for module in NEEDED[name])
    ]
    if missing:
        errors.print(
            f"this command needs more packages: pip install 'inframind\\[{','.join(missing)}]'"
        )
        raise typer.Exit(2)


def listed(first: str, *others: str) -> Table:
    """A table whose first column can be copied, however narrow the terminal."""
    return Table(Column(first, no_wrap=True), *(Column(name, overflow="fold") for name in others))


def call(
    url: str, method: str, path: str, body: Any = None, content: bytes | None = None, **query: Any
) -> Any:
    """The answer's JSON."""
    return fetch(url, method, path, body, content, **query).json()


def fetch(
    url: str, method: str, path: str, body: Any = None, content: bytes | None = None, **query: Any
) -> "httpx.Response":
    """The answer; ends with the service's own words if it refuses."""
    need("service")
    import httpx

    try:
        headers = (
            {"Authorization": f"Bearer {os.environ[API_KEY]}"} if API_KEY in os.environ else {}
        )
        answer = httpx.request(
            method,
            url + path,
            json=body,
            content=content,
            params=query or None,
            headers=headers,
            timeout=180.0,
            trust_env=False,
        )
    except httpx.HTTPError as error:
        errors.print(
            f"{escape(url)} does not answer ({type(error).__name__}): start the service with `inframind up`, or give --url"
        )
        raise typer.Exit(2) from None
    if answer.is_success:
        return answer
    said = answer.json().get("error", {})
    field = f" (field {said['param']})" if said.get("param") else ""
    errors.print(
        f"{said.get('code', answer.status_code)}{escape(field)}: {escape(str(said.get('message', '')))}"
    )
    raise typer.Exit(1)


@app.command()
def up(
    data_dir: Annotated[Path | None, typer.Option(help="Database, artifacts and logs.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0: any free one.")] = None,
    base_model: Annotated[str | None, typer.Option(help="The base model that is served.")] = None,
) -> None:
    """Start the embedded service: api, supervisor and inference server."""
    need("service", "train")
    given = {"--data-dir": data_dir, "--host": host, "--port": port, "--base-model": base_model}
    options = [
        part for name, value in given.items() if value is not None for part in (name, str(value))
    ]
    os.execv(sys.executable, [sys.executable, "-m", "workers.up", *options])  # noqa: S606 - our own module


@datasets.command("add")
def add_dataset(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help="JSON lines: instruction, input, output, category, checks.",
        ),
    ],
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    url: Url = LOCAL,
) -> None:
    """Store Alpaca rows as a dataset that a job can name. Every row is validated; nothing is stored if one is bad."""
    query = {"name": name} if name else {}
    made = call(url, "POST", "/datasets", content=file.read_bytes(), **query)
    console.print(
        f"{made['id']}: {sum(made['tasks'].values())} tasks, {made['derived']} with derived checks, {made['unchecked']} without"
    )
    console.print(f'use it in a job: {{"method": "dapo", "dataset": "{made["id"]}"}}')


@datasets.command("list")
def list_datasets(url: Url = LOCAL) -> None:
    """Show the stored datasets."""
    table = Table("id", "name", "tasks", "categories")
    for row in call(url, "GET", "/datasets")["data"]:
        table.add_row(
            row["id"],
            row["name"] or "",
            str(sum(row["tasks"].values())),
            ", ".join(row["categories"]),
        )
    console.print(table)


@jobs.command()
def create(
    method: Annotated[str, typer.Argument(help="sft, grpo, dapo or evaluate.")] = "dapo",
    base_model: Annotated[
        str, typer.Option(help="A base model of `GET /models`.")
    ] = "inframind-nano",
    start_from: Annotated[str | None, typer.Option(help="An adapter to continue.")] = None,
    seed: int = 0,
    name: str | None = None,
    follow: Annotated[bool, typer.Option(help="Stay and show the progress.")] = False,
    url: Url = LOCAL,
) -> None:
    """Queue a training job."""
    body = {
        "method": method,
        "base_model": base_model,
        "start_from": start_from,
        "seed": seed,
        "name": name,
    }
    job = call(
        url, "POST", "/jobs", {key: value for key, value in body.items() if value is not None}
    )
    console.print(job["id"])
    if follow:
        show_until_done(url, job["id"])


@jobs.command("list")
def list_jobs(limit: int = 20, url: Url = LOCAL) -> None:
    """Show the newest jobs."""
    table = listed("id", "name", "state", "stage", "progress")
    for job in call(url, "GET", "/jobs", limit=limit)["data"]:
        table.add_row(
            job["id"], job["name"] or "", job["state"], job["stage"] or "", f"{job['progress']:.0%}"
        )
    console.print(table)


@jobs.command()
def show(job_id: str, url: Url = LOCAL) -> None:
    """Show a job as JSON."""
    console.print_json(json.dumps(call(url, "GET", f"/jobs/{job_id}")))


@jobs.command()
def results(job_id: str, url: Url = LOCAL) -> None:
    """Show the comparison table of a job's last evaluation."""
    job = call(url, "GET", f"/jobs/{job_id}")
    found = [result["metrics"] for result in job["stage_results"] if "rows" in result["metrics"]]
    if not found:
        errors.print(f"the job is {job['state']} and has no evaluation yet")
        raise typer.Exit(1)
    console.print(
        comparison(
            [{"name": row["adapter"] or job["base_model"], **row} for row in found[-1]["rows"]]
        )
    )
    show_judge(found[-1])


def show_judge(evaluation: dict[str, Any]) -> None:
    """Who the judge model was, if one was asked, and whether it may be believed."""
    if judge := evaluation.get("judge_model"):
        trust = "trusted" if judge["trusted"] else f"not trusted: {judge['note']}"
        console.print(escape(f"llm is {judge['model']} ({trust})"))


def comparison(rows: list[dict[str, Any]]) -> Table:
    """Evaluations side by side: a column a model."""
    table = Table("", *(Column(row["name"], overflow="fold") for row in rows))
    table.add_row("pass rate", *(share(row) for row in rows))
    for category in sorted({name for row in rows for name in row["by_category"]}):
        table.add_row(category, *(share(row["by_category"].get(category)) for row in rows))
    table.add_row("new families", *(share(row["new_families"]) for row in rows))
    for judge in sorted({name for row in rows for name in row["judge"]}):
        for score in sorted({name for row in rows for name in row["judge"].get(judge, {})}):
            values = (row["judge"].get(judge, {}).get(score) for row in rows)
            table.add_row(
                f"{judge}: {score}", *("-" if value is None else f"{value:.2f}" for value in values)
            )
    return table


def share(rate: dict[str, Any] | None) -> str:
    """A pass rate with its interval."""
    if not rate or not rate["n"]:
        return "-"
    low, high = rate["ci95"]
    return f"{rate['pass_at_1']:.1%} of {rate['n']} ({low:.1%}-{high:.1%})"


@jobs.command()
def cancel(job_id: str, url: Url = LOCAL) -> None:
    """Stop a job."""
    console.print(call(url, "POST", f"/jobs/{job_id}/cancel")["state"])


@jobs.command()
def pause(job_id: str, url: Url = LOCAL) -> None:
    """Take a job from its worker or out of the queue until it is resumed."""
    console.print(call(url, "POST", f"/jobs/{job_id}/pause")["state"])


@jobs.command()
def resume(job_id: str, url: Url = LOCAL) -> None:
    """Put a paused job back into the queue."""
    console.print(call(url, "POST", f"/jobs/{job_id}/resume")["state"])


@jobs.command()
def follow(job_id: str, url: Url = LOCAL) -> None:
    """Show a job's progress until it ends."""
    show_until_done(url, job_id)


def show_until_done(url: str, job_id: str) -> None:
    """A line whenever something has changed. Ends with 1 if the job does not succeed."""
    last = ""
    while True:
        job = call(url, "GET", f"/jobs/{job_id}")
        values = " ".join(
            f"{key} {value:.3g}"
            for key, value in job["metrics"].items()
            if key in ("loss", "reward", "pass_rate")
        )
        eta = f" eta {job['eta_seconds']:.0f} s" if job["eta_seconds"] else ""
        line = f"{job['state']} {job['stage'] or ''} {job['step']}/{job['total_steps']} {job['progress']:.0%}{eta} {values}".strip()
        if line != last:
            console.print(escape(line))
            last = line
        if job["state"] in TERMINAL:
            if job["error"]:
                errors.print(f"{job['error']['code']}: {escape(job['error']['message'])}")
            raise typer.Exit(0 if job["state"] == JobState.SUCCEEDED else 1)
        time.sleep(1.0)


@models.command("list")
def list_models(url: Url = LOCAL) -> None:
    """Show base models and adapters of a running service."""
    table = listed("id", "kind", "stage", "base model", "aliases", "available")
    for model in call(url, "GET", "/models")["data"]:
        known = ", ".join(model["aliases"])
        here = "yes" if model["available"] else "no"
        table.add_row(
            model["id"], model["kind"], model["stage"] or "", model["base_model"], known, here
        )
    console.print(table)


@models.command("show")
def show_model(model: str, url: Url = LOCAL) -> None:
    """Show lineage, files, evaluations and aliases of a model as JSON."""
    console.print_json(json.dumps(call(url, "GET", f"/models/{model}")))


@models.command("alias")
def alias_model(name: str, model: str, url: Url = LOCAL) -> None:
    """Let a name, such as production, mean a model."""
    made = call(url, "PUT", f"/aliases/{name}", {"model": model})
    before = f" (before: {made['previous']})" if made["previous"] else ""
    console.print(f"{made['name']} -> {made['model']}{before}")


@models.command("compare")
def compare_models(
    names: Annotated[list[str], typer.Argument(help="Two to sixteen models, adapters or aliases.")],
    url: Url = LOCAL,
) -> None:
    """Show models side by side, the others against the first."""
    found = call(url, "GET", "/models/compare", model=names)
    rows = [
        {"name": row["model"], **row["evaluation"]} for row in found["data"] if row["evaluation"]
    ]
    console.print(comparison(rows))
    for judged in {row["judge_model"]["model"]: row for row in rows if row["judge_model"]}.values():
        show_judge(judged)
    for row in found["data"][1:]:
        if row["difference"] is not None:
            low, high = row["difference_ci95"]
            console.print(
                f"{row['model']}: {row['difference']:+.1%} ({low:+.1%} to {high:+.1%}) against {found['data'][0]['model']}"
            )
    if found["reason"]:
        errors.print(escape(found["reason"]))


@models.command("delete")
def delete_model(model: str, url: Url = LOCAL) -> None:
    """Delete an adapter that no alias means and nothing continues."""
    console.print(f"{call(url, 'DELETE', f'/models/{model}')['id']} is deleted")


@models.command("export")
def export_model(
    model: str,
    out: Annotated[Path, typer.Option(help="New folder.")],
    merged: Annotated[
        bool,
        typer.Option("--merged", help="Merge into the base model, for servers without adapters."),
    ] = False,
    url: Url = LOCAL,
) -> None:
    """Write an adapter as a PEFT folder with its model card, or merged as a whole model."""
    need("service", *(["train"] if merged else []))
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        errors.print(f"{escape(str(out))} is there already: give a new folder")
        raise typer.Exit(2)
    with tempfile.TemporaryDirectory() as folder:
        content = fetch(url, "GET", f"/models/{model}/download").content
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            archive.extractall(folder, filter="data")
        (adapter,) = Path(folder).iterdir()
        if merged:
            from inframind.models.merge import merge

            merge(adapter, out)
        else:
            shutil.copytree(adapter, out, dirs_exist_ok=True)
    console.print(f"{escape(model)} is in {escape(str(out))}")


@app.command()
def generate(
    instruction: str,
    model: Annotated[str, typer.Option(help="A base model or an adapter.")] = "inframind-nano",
    category: Annotated[str | None, typer.Option(help="What to verify the answer as.")] = None,
    temperature: float = 0.0,
    url: Url = LOCAL,
) -> None:
    """Ask a model, and show its answer with the verdict. Ends with 1 if the answer is not valid."""
    body = {
        "instruction": instruction,
        "model": model,
        "temperature": temperature,
        "verify": True,
        "category": category,
    }
    choice = call(url, "POST", "/generate", body)["choices"][0]
    console.print(escape(choice["file"] or choice["text"]))
    verdict = choice["verdict"]
    errors.print(
        f"{verdict['verdict']}: {escape('; '.join(finding['message'] for finding in verdict['findings'][:3]) or 'no findings')}"
    )
    raise typer.Exit(0 if verdict["verdict"] == "pass" else 1)


@app.command()
def doctor(
    only: Annotated[str | None, typer.Option(help="Names of checks, separated by commas.")] = None,
) -> None:
    """Check this installation and name the remedies. Ends with 1 if something that is needed is missing."""
    need("service")
    from app.cli.doctor import CHECKS, examine
    from app.settings import settings

    chosen = frozenset(only.split(",") if only else ())
    if unknown := chosen - set(CHECKS):
        errors.print(f"unknown check {', '.join(sorted(unknown))}; known: {', '.join(CHECKS)}")
        raise typer.Exit(2)
    signs = {
        "ok": "[green]ok     [/green]",
        "warning": "[yellow]warning[/yellow]",
        "failed": "[red]failed [/red]",
    }
    failed = False
    for found in examine(settings(), chosen):
        failed |= found.state == "failed"
        console.print(f"{signs[found.state]} {found.name:<10} {escape(found.text)}", soft_wrap=True)
        if found.remedy:
            console.print(f"                   -> {escape(found.remedy)}", soft_wrap=True)
    raise typer.Exit(1 if failed else 0)


@keys.command("create")
def create_key(
    scope: Annotated[
        list[str], typer.Option(help="train, generate, monitor or admin; may be given again.")
    ],
    name: Annotated[str | None, typer.Option(help="What the key is for.")] = None,
    owner: Annotated[
        str | None,
        typer.Option(help="Keys of one owner see the same jobs; default: this key alone."),
    ] = None,
) -> None:
    """Make a key and show it, once."""
    from app import keys as store

    # On its own line and without colour, so that a script can take it.
    typer.echo(store.create(_migrated(), scope, name, owner))


@keys.command("list")
def list_keys() -> None:
    """Show the keys; their secrets are stored nowhere."""
    from app import keys as store

    table = listed("id", "name", "owner", "scopes", "last used", "state")
    for key in store.every(_migrated()):
        used = (
            time.strftime("%Y-%m-%d %H:%M", time.localtime(key.last_used_at))
            if key.last_used_at
            else "never"
        )
        table.add_row(
            key.id,
            key.name or "",
            key.owner,
            ", ".join(key.scopes),
            used,
            "revoked" if key.revoked_at else "active",
        )
    console.print(table)


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="The id, as `keys list` shows it.")],
) -> None:
    """End a key for good. A running service refuses it after a second at most."""
    from app import keys as store

    store.revoke(_migrated(), key_id)
    console.print(f"{escape(key_id)} is revoked")


@app.command("prune")
def prune_artifacts(
    dry_run: Annotated[bool, typer.Option(help="Only say what would go.")] = False,
) -> None:
    """Delete what no policy keeps: old adapters that nothing needs, spare checkpoints, leftovers of lost attempts."""
    need("service")
    from app.artifacts import Artifacts
    from app.catalog.retention import prune
    from app.db.session import make_engine
    from app.settings import settings

    given = settings()
    gone = prune(
        make_engine(given.url), Artifacts.of(given), given.keep_adapters_days, dry_run=dry_run
    )
    console.print(
        f"{'would go' if dry_run else 'gone'}: adapters {', '.join(gone.adapters) or 'none'}; {gone.checkpoints} checkpoints; "
        f"{len(gone.folders)} folders of lost attempts; {gone.keys} idempotency keys"
    )


@database.command()
def upgrade(revision: str = "head") -> None:
    """Run the migrations up to a revision."""
    _migrate("upgrade", revision)


@database.command()
def downgrade(revision: str) -> None:
    """Take migrations back; `base` takes all."""
    _migrate("downgrade", revision)


def _engine() -> "Engine":
    """The database that the settings name."""
    need("service")
    from app.db.session import make_engine
    from app.settings import settings

    configured = settings()
    configured.data_dir.mkdir(parents=True, exist_ok=True)
    return make_engine(configured.url)


def _migrated() -> "Engine":
    """The same, with the tables that this code knows."""
    engine = _engine()
    from app.db.migrate import is_current

    if not is_current(engine):
        errors.print("the database is not at this version: run `inframind db upgrade` first")
        raise typer.Exit(2)
    return engine


def _migrate(direction: str, revision: str) -> None:
    engine = _engine()
    from app.db import migrate

    (migrate.upgrade if direction == "upgrade" else migrate.downgrade)(engine, revision)
    console.print(f"the database is at {revision}")


def main() -> None:
    """The entry point."""
    try:
        app()
    except InfraMindError as error:
        errors.print(f"{error.code}: {escape(str(error))}")
        sys.exit(2)
