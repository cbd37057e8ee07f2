"""Schema migrations: a database is brought to this version's schema, and a newer one is refused untouched."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from handover.db import Database
from handover.errors import HandoverError, Kind

_FOLDER = Path(__file__).parent


class SchemaError(HandoverError):
    """The database has another schema than this version works with."""

    code = "schema_mismatch"
    kind = Kind.NOT_INITIALISED


def upgrade(database: Database) -> None:
    """Runs what is missing, in one transaction.

    Raises:
        SchemaError: the database was made by a newer version; nothing was changed.
    """
    config = _config()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with database.engine.begin() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        if current is not None and current not in known:
            raise SchemaError(
                f"the database has schema {current}, which is newer than this version; install that version"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def require_current(database: Database) -> None:
    """Refuses to start on another schema.

    Raises:
        SchemaError: says whether to migrate or to install a newer version.
    """
    script = ScriptDirectory.from_config(_config())
    known = {s.revision for s in script.walk_revisions()}
    with database.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current == script.get_current_head():
        return
    if current is not None and current not in known:
        raise SchemaError(f"the database has schema {current}, which is newer than this version; install that version")
    raise SchemaError("the database has an older schema; back it up and run: handover migrate")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    return config
