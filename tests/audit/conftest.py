"""An empty log on both kinds of database."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import psycopg
import pytest
import sqlalchemy as sa

from handover.audit import AuditLog
from handover.audit.models import AuditCheckpoint, AuditEntry, AuditHead, AuditVerification
from handover.context import Installation
from handover.db import Base, Database
from tests.audit.logs import HONEST, ORIGIN

POSTGRESQL = os.environ.get("HANDOVER_TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1/test")
TABLES = [cast("sa.Table", kind.__table__) for kind in (AuditEntry, AuditHead, AuditCheckpoint, AuditVerification)]


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A database of this run alone."""
    name = f"handover_audit_{secrets.token_hex(6)}"
    _administer(f'CREATE DATABASE "{name}"')
    yield f"{POSTGRESQL.rpartition('/')[0]}/{name}"
    _administer(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/log.db"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def installation(database_url: str) -> Iterator[Installation]:
    """An installation with an empty log."""
    database = Database(database_url)
    Base.metadata.create_all(database.engine, tables=TABLES)
    with database.transaction(write=True) as session:
        for table in TABLES:
            session.execute(table.delete())
    yield Installation(database, {AuditLog: AuditLog(ORIGIN, *HONEST.signers)})
    database.close()


def _administer(statement: str) -> None:
    try:
        connection = psycopg.connect(POSTGRESQL, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        if os.environ.get("HANDOVER_REQUIRE_SERVICES") == "1":
            raise
        pytest.skip(f"PostgreSQL is not reachable: {error}")
    with connection:
        connection.execute(statement)  # type: ignore[call-overload]  # a name cannot be a parameter
