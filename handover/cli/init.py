"""`handover init`: makes the installation that the settings describe, and prints the first administrator's link once."""

import click
import msgspec

from handover.settings import load
from handover.setup import InitResult, initialise

_AFTERWARDS = """\
Installation {installation} is ready.

  master key     {master_key_file}
                 Back it up apart from the data. Without it nothing can be read; it changes with every destruction.
  CA key         {ca_key_file}
                 Move it to a medium that is kept offline; it is only needed to certify a new signer of documents.
  public keys    {trust_dir}
                 Give these to whoever verifies packages, documents and the log.

The first administrator opens the link below, before {expires_at} and once, and types this code: {code}
"""


@click.command()
@click.option(
    "--admin", "admin_email", required=True, metavar="EMAIL", help="E-mail address of the first administrator."
)
@click.option("--name", "admin_name", help="Name of the first administrator; the e-mail address if not given.")
@click.option("--demo", is_flag=True, help="The certificate authority and all documents say DEMO 演示.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def init(admin_email: str, admin_name: str | None, demo: bool, as_json: bool) -> None:
    """Make the data directory, keys, certificate authority and database. Refuses if there is anything already."""
    result = initialise(load(), admin_email=admin_email, admin_name=admin_name, demo=demo)
    if as_json:
        click.echo(msgspec.json.encode(_shown(result)))
        return
    click.echo(_AFTERWARDS.format(**_shown(result)), err=True)
    click.echo(result.link)


def _shown(result: InitResult) -> dict[str, str]:
    return {name: str(getattr(result, name)) for name in result.__struct_fields__}
