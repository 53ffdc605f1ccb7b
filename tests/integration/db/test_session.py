"""What the pool of connections does when the database was away."""

from sqlalchemy import text

from app.db.session import make_engine, reading, writing
from tests.support.servers import Postgres


def test_a_database_that_was_started_again_is_used_at_once(postgres: Postgres) -> None:
    engine = make_engine(postgres.new_database())
    connections = [engine.connect() for _ in range(4)]
    for connection in connections:
        connection.close()
    postgres.kill()
    postgres.start()
    for used in (reading, writing, reading, writing):
        with used(engine) as session:
            assert session.scalar(text("SELECT 1")) == 1
    engine.dispose()


def test_reading_opens_no_transaction_and_writing_does(postgres: Postgres) -> None:
    engine = make_engine(postgres.new_database())
    place = text("SELECT now() = statement_timestamp()")
    for used, alone in ((reading, True), (writing, False), (reading, True)):
        with used(engine) as session:
            session.execute(text("SELECT 1"))
            assert session.scalar(place) is alone
    engine.dispose()
