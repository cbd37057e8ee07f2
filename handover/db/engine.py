"""Engines and transactions for SQLite and PostgreSQL, with the settings that were measured to be safe.

SQLite: WAL, synchronous=FULL (NORMAL lost acknowledged rows in a power cut), secure_delete, BEGIN IMMEDIATE for
writers. A writer lock in this process queues threads fairly; between processes the busy timeout does.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from handover.errors import ConflictError, HandoverError, Kind

#: How long a writer waits for another process's transaction before it answers 503.
BUSY_TIMEOUT_MS = 15_000


class DatabaseBusyError(HandoverError):
    """The database did not answer in time; nothing was changed and the request can be repeated."""

    code = "database_busy"
    kind = Kind.UNAVAILABLE


class DatabaseFullError(HandoverError):
    """No space is left for the database; nothing was changed."""

    code = "storage_full"
    kind = Kind.STORAGE_FULL


class Database:
    """One engine and its transactions."""

    def __init__(self, url: str) -> None:
        self.is_sqlite = url.startswith("sqlite")
        self.engine = _sqlite(url) if self.is_sqlite else _postgresql(url)
        self._writer = threading.RLock() if self.is_sqlite else contextlib.nullcontext()

    @contextlib.contextmanager
    def transaction(self, *, write: bool) -> Iterator[Session]:
        """One unit of work: commits when the block ends, rolls back when it raises.

        Raises:
            ConflictError: another transaction changed the same row first.
            DatabaseBusyError: the lock was not to be had in time.
            DatabaseFullError: the disk is full.
        """
        lock = self._writer if write else contextlib.nullcontext()
        with lock, _mapped_errors(), Session(self.engine, expire_on_commit=False, autoflush=True) as session:
            if self.is_sqlite:
                session.connection(execution_options={"handover_write": write})
            yield session
            if write:
                session.commit()

    def create_all(self, metadata: sa.MetaData) -> None:
        """Makes every table at once, for tests; an installation runs the migrations."""
        metadata.create_all(self.engine)

    def checkpoint(self) -> None:
        """Folds SQLite's write-ahead log into the database, so that no deleted page lingers in it."""
        if not self.is_sqlite:
            return
        connection = self.engine.raw_connection()
        try:
            # Readers may keep some of it in use; then the next checkpoint folds the rest.
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()

    def close(self) -> None:
        self.engine.dispose()


@contextlib.contextmanager
def _mapped_errors() -> Iterator[None]:
    try:
        yield
    except StaleDataError as error:
        raise ConflictError("another request changed this first; load it again and repeat") from error
    except IntegrityError as error:
        raise ConflictError("this already exists or refers to something that does not") from error
    except OperationalError as error:
        raise _operational(error) from error


def _operational(error: OperationalError) -> HandoverError:
    text = str(error.orig)
    if "disk is full" in text or "No space left" in text or "disk I/O error" in text:
        return DatabaseFullError("the disk of the database is full; free some space and repeat, nothing was changed")
    if "locked" in text or "busy" in text or "deadlock" in text or "could not serialize" in text:
        return DatabaseBusyError("the database is busy; repeat in a moment, nothing was changed")
    return DatabaseBusyError("the database cannot be reached; nothing was changed")


def _sqlite(url: str) -> sa.Engine:
    engine = sa.create_engine(
        url.replace("sqlite:///", "sqlite+pysqlite:///", 1),
        connect_args={"isolation_level": None, "check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
        pool_size=16,
        max_overflow=32,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: Any) -> None:
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        write = connection.get_execution_options().get("handover_write", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _postgresql(url: str) -> sa.Engine:
    scheme, _, rest = url.partition("://")
    engine_url = f"postgresql+psycopg://{rest}" if scheme == "postgresql" else url
    return sa.create_engine(
        engine_url,
        pool_size=16,
        max_overflow=32,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"connect_timeout": 5},
    )
