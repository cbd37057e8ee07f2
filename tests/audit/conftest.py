"""Databases of both kinds, each made for one test and gone after it."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from handover.audit import AuditLog
from handover.audit import models as _tables  # noqa: F401 - fills Base.metadata
from handover.context import Installation
from handover.db import Base, Database
from tests.audit.logs import HONEST, ORIGIN

POSTGRESQL = os.environ.get("HANDOVER_TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1/test")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/log.db"
        return
    name = f"handover_audit_{secrets.token_hex(6)}"
    _administer(f'CREATE DATABASE "{name}"')
    yield f"{POSTGRESQL.rpartition('/')[0]}/{name}"
    _administer(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def installation(database_url: str) -> Iterator[Installation]:
    database = Database(database_url)
    database.create_all(Base.metadata)
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
