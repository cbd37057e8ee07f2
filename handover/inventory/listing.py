"""Reads that pages of the inventory list: one set by its number, what is running, what waits for a description."""

import uuid

from sqlalchemy import func, select

from handover.context import Context
from handover.errors import NotFoundError
from handover.inventory.models import Copy, Field, RecordSet, Upload
from handover.inventory.queries import inside, record_sets_of
from handover.jobs import JobView, open_about


def record_set_in(ctx: Context, case_id: uuid.UUID, name: str) -> RecordSet:
    """A record set of a case by its number (`RS-01`) or its id.

    Raises:
        NotFoundError: there is none, or the actor may not know of it.
    """
    inside(ctx, case_id)
    for row in record_sets_of(ctx, case_id):
        if name in {row.number, str(row.id)}:
            return row
    raise NotFoundError("there is no such record set")


def undecided(ctx: Context, record_set_id: uuid.UUID) -> int:
    """How many fields have no decision whether they are needed."""
    query = select(func.count()).select_from(Field).where(Field.record_set_id == record_set_id, Field.need.is_(None))
    return ctx.session.scalar(query) or 0


def inspections_of(ctx: Context, case_id: uuid.UUID, record_set_id: uuid.UUID | None = None) -> list[JobView]:
    """Inspections that are queued or running, of the case or of one set."""
    return open_about(ctx, case_id, record_set_id, ("inventory.ingest", "inventory.inspect", "inventory.conclude"))


def my_uploads(ctx: Context, case_id: uuid.UUID) -> list[Upload]:
    """What the actor uploaded and nobody described yet: running uploads, and complete ones without a record set."""
    registered = select(RecordSet.upload_id).where(RecordSet.case_id == case_id)
    query = select(Upload).where(
        Upload.case_id == case_id,
        Upload.created_by == ctx.actor.person_id,
        Upload.state.in_(("open", "complete")),
        Upload.id.not_in(registered),
    )
    return list(ctx.session.scalars(query.order_by(Upload.id)))


def copies_of_set(ctx: Context, record_set_id: uuid.UUID) -> list[Copy]:
    """The lines of the register about one set, oldest first."""
    return list(ctx.session.scalars(select(Copy).where(Copy.record_set_id == record_set_id).order_by(Copy.id)))
