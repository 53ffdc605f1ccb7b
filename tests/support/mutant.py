"""A worker without the fence: whoever once had a job writes its row for ever.

The checks of the chaos runs must notice.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from app.db.session import now, writing
from app.db.tables import Job
from app.jobs import lease
from app.jobs.lease import Claim
from tests.support.stand_in_trainer import MODULE
from workers.celery_app import main


@contextmanager
def fenced(engine: Engine, claim: Claim) -> Iterator[tuple[Session, Job]]:
    with writing(engine) as session:
        yield (
            session,
            session.scalars(select(Job).where(Job.id == claim.job_id).with_for_update()).one(),
        )


def heartbeat(engine: Engine, claim: Claim, lease_seconds: float) -> str:
    with writing(engine) as session:
        renew = (
            update(Job)
            .where(Job.id == claim.job_id)
            .values(lease_until=now() + lease_seconds)
            .returning(Job.want)
        )
        return str(session.scalar(renew))


if __name__ == "__main__":
    lease.fenced, lease.heartbeat = fenced, heartbeat
    main(MODULE)
