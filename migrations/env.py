"""Alembic's entry: runs the migrations on the engine that app.db.migrate gives."""

from alembic import context
from sqlalchemy import Engine

from app.db.tables import Base

engine: Engine = context.config.attributes["engine"]

with engine.connect() as connection:
    # SQLite cannot alter columns or constraints: batch mode copies the table instead.
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
