"""`handover key`: make an identity, and compute a safety number. Both work offline and send nothing anywhere."""

import os
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from handover.archive.errors import TargetExistsError
from handover.crypto.age import generate_identity, parse_recipient, recipient_of
from handover.crypto.safety_number import safety_number


@click.group()
def key() -> None:
    """Make keys and compare them."""


@key.command()
@click.option("--post-quantum", is_flag=True, help="ML-KEM-768 with X25519; needs age 1.3 or newer to open.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Write the identity file here (readable by you alone)."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def new(post_quantum: bool, out: Path | None, as_json: bool) -> None:
    """Make a new identity. Keep it secret; give away only its recipient."""
    identity = generate_identity(post_quantum=post_quantum)
    recipient = recipient_of(identity)
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = f"# created: {created}\n# public key: {recipient}\n{identity}\n"
    if out is not None:
        _write_secret(out, text)
    if as_json:
        shown = {"recipient": recipient} | ({"file": str(out)} if out else {"identity": identity})
        click.echo(msgspec.json.encode(shown))
    else:
        click.echo(recipient if out else text, nl=out is not None)


@key.command()
@click.argument("recipient")
@click.option("--case", "case_reference", required=True, help="Reference of the case, as the consultant gave it.")
@click.option("--person", required=True, help="Identifier of the person who holds the key.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def number(recipient: str, case_reference: str, person: str, as_json: bool) -> None:
    """Compute the safety number of RECIPIENT, to be compared over a call."""
    parse_recipient(recipient)
    result = safety_number(recipient, case_reference, person)
    if as_json:
        click.echo(msgspec.json.encode(result))
    else:
        click.echo(f"{result.text}\nsha256 {result.sha256}")


def _write_secret(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError as error:
        raise TargetExistsError(f"{path}: exists already; a key is never overwritten") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
