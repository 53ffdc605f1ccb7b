"""What every job must look like in the end, whatever was done to it."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Engine

from app.jobs import lease, service
from app.jobs.lease import Claim
from app.views import PageRequest
from tests.support.fleet import events, job
from tests.support.stand_in import expected

STAGES = (("sft", 12), ("evaluate", 4))


def check_history(engine: Engine, job_id: str) -> int:
    """One success, at the end; fences in order; nothing written with an old fence after a new one.
    Gives the last fence."""
    told = events(engine, job_id)
    assert [event.seq for event in told] == list(range(1, len(told) + 1))
    fences = [event.fence for event in told if event.code == "claimed"]
    assert fences == list(range(1, len(fences) + 1)), fences
    assert [event.fence for event in told] == sorted(event.fence for event in told), (
        "a stale worker wrote"
    )
    codes = [event.code for event in told]
    assert codes.count("succeeded") == 1, codes
    assert (told[-1].code, told[-1].fence) == ("succeeded", fences[-1]), codes
    return fences[-1]


def check_success(engine: Engine, job_id: str, stages: Sequence[tuple[str, int]] = STAGES) -> None:
    """One success, fences in order, and the very result of an undisturbed run of the stand-in."""
    run = lease.load_run(engine, Claim(job_id, check_history(engine, job_id)))
    assert [(result.stage_index, result.stage) for result in run.results] == [
        (0, "sft"),
        (1, "evaluate"),
    ]
    assert run.results[-1].metrics["hash"] == expected(list(stages))
    assert len(run.adapters) == 1 and run.results[0].adapter_id == run.adapters[0].id
    assert (Path(run.adapters[0].path) / "manifest.json").is_file()


def check_refused(engine: Engine, job_id: str) -> None:
    """One failure that names its reason; what was reported before is kept, and can be read."""
    failed = job(engine, job_id)
    assert (failed.state, failed.error_code, failed.failures) == ("failed", "report_refused", 1)
    assert failed.error_message and "report was refused" in failed.error_message
    view = service.get(engine, job_id)
    assert view.model_dump_json() and view.step == 2
    told = service.list_events(engine, job_id, PageRequest())[0].data
    assert [event.code for event in told].count("failed") == 1
