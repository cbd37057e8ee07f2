"""What people see of a job."""

import datetime as dt

import msgspec


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """Progress counts `done` of `total` units (bytes or records; 0 of 0 before the job knows)."""

    id: str
    case_id: str | None
    kind: str
    state: str
    done: int
    total: int
    attempts: int
    cancel_requested: bool
    error_code: str | None
    error: str | None
    created_at: dt.datetime
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
