"""`inframind jobs`: training jobs of a running service."""

import json
import time
from typing import Annotated, Any

import typer
from rich.markup import escape

from app.cli.client import LOCAL, ServiceClient, Url, call, rows_of
from app.cli.evaluations import comparison, show_judge
from app.cli.output import console, errors, listed
from app.job_state import TERMINAL, JobState

app = typer.Typer(
    help="Create, list, show, follow and cancel jobs of a running service.", no_args_is_help=True
)
POLL_SECONDS = 1.0
SHOWN = ("loss", "reward", "pass_rate")
"""Metrics on a line of progress."""
JobId = Annotated[str, typer.Argument(help="The id, as `jobs list` shows it.")]


@app.command()
def create(
    method: Annotated[str, typer.Argument(help="sft, grpo, dapo or evaluate.")] = "dapo",
    base_model: Annotated[
        str, typer.Option(help="A base model of `GET /models`.")
    ] = "inframind-nano",
    start_from: Annotated[str | None, typer.Option(help="An adapter to continue.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything that is drawn.")] = 0,
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="The same key and options again: the same job.")
    ] = None,
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
    # Left out, not null: what is not said is the service's to choose.
    body = {field: value for field, value in body.items() if value is not None}
    headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
    job = call(url, "POST", "/jobs", body, headers=headers)
    console.print(job["id"])
    if follow:
        follow_to_the_end(url, job["id"])


@app.command("list")
def list_jobs(
    limit: Annotated[int, typer.Option(min=1, help="Jobs that are shown at most.")] = 20,
    url: Url = LOCAL,
) -> None:
    """Show the newest jobs."""
    table = listed("id", "name", "state", "stage", "progress")
    for job in rows_of(url, "/jobs", limit):
        progress = f"{job['progress']:.0%}"
        table.add_row(job["id"], job["name"] or "", job["state"], job["stage"] or "", progress)
    console.print(table, soft_wrap=False)


@app.command()
def show(job_id: JobId, url: Url = LOCAL) -> None:
    """Show a job as JSON."""
    console.print_json(json.dumps(call(url, "GET", f"/jobs/{job_id}")))


@app.command()
def results(job_id: JobId, url: Url = LOCAL) -> None:
    """Show the comparison table of a job's last evaluation."""
    job = call(url, "GET", f"/jobs/{job_id}")
    stages = [result["metrics"] for result in job["stage_results"]]
    evaluations = [metrics for metrics in stages if "rows" in metrics]
    if not evaluations:
        errors.print(f"the job is {job['state']} and has no evaluation yet")
        raise typer.Exit(1)
    last = evaluations[-1]
    rows = [{"name": row["adapter"] or job["base_model"], **row} for row in last["rows"]]
    console.print(comparison(rows), soft_wrap=False)
    show_judge(last)


@app.command()
def logs(
    job_id: JobId,
    attempt: Annotated[
        int | None, typer.Option(min=1, help="Number of the attempt; default: the latest.")
    ] = None,
    url: Url = LOCAL,
) -> None:
    """Show the end of the trainer's log: why a job failed, in full."""
    query: dict[str, Any] = {} if attempt is None else {"attempt": attempt}
    with ServiceClient(url) as client:
        # Not through rich, which takes a log's brackets for its markup.
        typer.echo(client.fetch("GET", f"/jobs/{job_id}/log", **query).text, nl=False)


@app.command()
def cancel(job_id: JobId, url: Url = LOCAL) -> None:
    """Stop a job for good; a running one leaves a checkpoint first."""
    console.print(call(url, "POST", f"/jobs/{job_id}/cancel")["state"])


@app.command()
def pause(job_id: JobId, url: Url = LOCAL) -> None:
    """Take a job from its worker or out of the queue until it is resumed."""
    console.print(call(url, "POST", f"/jobs/{job_id}/pause")["state"])


@app.command()
def resume(job_id: JobId, url: Url = LOCAL) -> None:
    """Put a paused job back into the queue."""
    console.print(call(url, "POST", f"/jobs/{job_id}/resume")["state"])


@app.command()
def retry(job_id: JobId, url: Url = LOCAL) -> None:
    """Queue a new job with the stages of one that failed or was cancelled; print its id."""
    console.print(call(url, "POST", f"/jobs/{job_id}/retry")["id"])


@app.command()
def follow(job_id: JobId, url: Url = LOCAL) -> None:
    """Show a job's progress until it ends."""
    follow_to_the_end(url, job_id)


def follow_to_the_end(url: str, job_id: str) -> None:
    """Print a line whenever something has changed. Ends with 1 if the job does not succeed."""
    last = ""
    with ServiceClient(url) as client:
        while True:
            job = client.call("GET", f"/jobs/{job_id}")
            values = [f"{key} {job['metrics'][key]:.3g}" for key in SHOWN if key in job["metrics"]]
            eta = [f"eta {job['eta_seconds']:.0f} s"] if job["eta_seconds"] else []
            where = f"{job['stage'] or ''} {job['step']}/{job['total_steps']}".strip()
            line = " ".join([job["state"], where, f"{job['progress']:.0%}", *eta, *values])
            if line != last:
                console.print(escape(line))
                last = line
            if job["state"] in TERMINAL:
                break
            time.sleep(POLL_SECONDS)
    if job["error"]:
        errors.print(f"{job['error']['code']}: {escape(job['error']['message'])}")
    # A script that follows a job goes on by how it ended.
    raise typer.Exit(0 if job["state"] == JobState.SUCCEEDED else 1)
