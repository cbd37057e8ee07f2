"""Alembic's environment: the tables of all rooms, on the connection that `upgrade` hands over."""

from alembic import context

from handover.db import Base
from handover.rooms import load_tables

load_tables()
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
