"""The migrations give exactly the schema that the code has, on both databases."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from handover import migrations
from handover.db import Base, Database
from handover.rooms import load_tables

POSTGRESQL = os.environ.get("HANDOVER_TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1/postgres")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        made = Database(f"sqlite:///{tmp_path}/test.db")
        yield made
        made.close()
        return
    name = f"handover_{uuid.uuid4().hex}"
    admin = sa.create_engine(POSTGRESQL.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
    except sa.exc.OperationalError as error:
        if os.environ.get("HANDOVER_REQUIRE_SERVICES") == "1":
            raise
        pytest.skip(f"PostgreSQL is not reachable: {error.orig}")
    made = Database(f"{POSTGRESQL.rsplit('/', 1)[0]}/{name}")
    yield made
    made.close()
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name}")
    admin.dispose()


def test_migrations_give_the_schema_of_the_code(database: Database) -> None:
    load_tables()
    migrations.upgrade(database)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, Base.metadata) == []
    migrations.upgrade(database)
    migrations.require_current(database)


def test_a_newer_schema_is_refused_and_left_alone(database: Database) -> None:
    migrations.upgrade(database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(migrations.SchemaError, match="newer"):
        migrations.require_current(database)
    with pytest.raises(migrations.SchemaError, match="newer"):
        migrations.upgrade(database)
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "9999"


def test_an_old_database_is_not_started_on(database: Database) -> None:
    with pytest.raises(migrations.SchemaError, match="migrate"):
        migrations.require_current(database)
