"""`handover migrate`: brings the database to this version's schema."""

import click

from handover import migrations
from handover.db import Database
from handover.settings import load


@click.command()
def migrate() -> None:
    """Bring the database to this version's schema. Back it up first; a newer schema is refused."""
    database = Database(load().database_url)
    try:
        migrations.upgrade(database)
    finally:
        database.close()
    click.echo("the schema is current")
