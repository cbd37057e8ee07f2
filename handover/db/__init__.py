"""The only place that speaks about engines and sessions.

Synchronous SQLAlchemy over SQLite (default) or PostgreSQL. One unit of work is one transaction: writers begin
IMMEDIATE on SQLite, so two of them queue instead of failing, and every acknowledged commit is on disk.
"""

from sqlalchemy.orm import Session

from handover.db.base import Base, Identified, UTCDateTime, Versioned, new_id
from handover.db.engine import Database, DatabaseBusyError

__all__ = [
    "Base",
    "Database",
    "DatabaseBusyError",
    "Identified",
    "Session",
    "UTCDateTime",
    "Versioned",
    "new_id",
]
