"""`handover records`: uploads records to a case of a running server, and lists what is there.

An upload goes on after a broken connection by itself, and after a stop of this command with `--resume`. Data goes to
stdout, progress to stderr.
"""

import base64
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import click
import msgspec

from handover.cli import exit_codes
from handover.cli.remote import Server, ServerError
from handover.errors import ConflictError, HandoverError, InvalidInputError

#: One PATCH: what the server seals at once.
PIECE_BYTES = 16 << 20
#: Without progress an upload is tried again after 1, 2, 4, … seconds, this often.
_TRIES = 6
#: Refused for now; 409 says that the server holds another number of bytes than we thought.
_TEMPORARY = frozenset({None, 409, 429, 502, 503, 504, 507})
_TUS = {"Tus-Resumable": "1.0.0"}


@click.group()
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="The server's address.")
@click.pass_context
def records(ctx: click.Context, url: str) -> None:
    """Upload records to a case; list its record sets. The API token is taken from HANDOVER_TOKEN."""
    ctx.obj = url


@records.command("list")
@click.argument("case_id", type=click.UUID)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_records(url: str, case_id: uuid.UUID, as_json: bool) -> None:
    """The record sets of a case."""
    with Server(url) as server:
        rows = server.get("/record-sets", case_id=str(case_id))
    if as_json:
        click.echo(msgspec.json.encode(rows))
        return
    for row in rows:
        click.echo(f"{row['id']}  {row['number']}  {row['state']:20}  {row['records']:>9}  {row['title'] or '-'}")


@records.command()
@click.argument("case_id", type=click.UUID)
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--kind", required=True, help="What the records are, for example customer_profile.")
@click.option("--title", help="How people call the record set; the file's name without it.")
@click.option("--source", "source_statement", required=True, help="Where the records come from.")
@click.option("--period", default="-", help="The time that they cover.")
@click.option("--system", default="-", help="The system that they were taken from.")
@click.option("--owner", type=click.UUID, help="The party that owns them; the seller where there is one.")
@click.option("--subject-field", help="The field that names the person; proposed by the inspection without it.")
@click.option("--resume", type=click.UUID, help="An upload that was begun, to go on with (for one file).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def add(
    url: str,
    /,
    case_id: uuid.UUID,
    files: tuple[Path, ...],
    title: str | None,
    owner: uuid.UUID | None,
    resume: uuid.UUID | None,
    as_json: bool,
    **facts: str | None,
) -> int:
    """Upload FILES and register each as a record set; its inspection starts at once."""
    if len(files) > 1 and (title or resume):
        raise click.UsageError("--title and --resume are about one file")
    made: list[Any] = []
    failed: list[HandoverError] = []
    with Server(url) as server:
        owner_id = str(owner) if owner else _seller(server, case_id)
        for path in files:
            body = {"title": title or path.stem, "owner_party_id": owner_id, **facts}
            try:
                upload = _upload(server, case_id, path, str(resume) if resume else None)
                made.append(server.post("/record-sets", {"upload_id": upload, **body}))
            except HandoverError as error:
                failed.append(error)
                click.echo(f"{path}: {error.message}", err=True)
    _print(made, as_json)
    if failed and not made:
        raise failed[-1]
    return exit_codes.PARTIAL if failed else exit_codes.OK


def _print(made: list[Any], as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(made))
        return
    for row in made:
        click.echo(f"{row['id']}  {row['number']}  {row['title']}")


def _seller(server: Server, case_id: uuid.UUID) -> str:
    parties = server.get("/parties", case_id=str(case_id))
    sellers = [str(party["id"]) for party in parties if party["side"] == "seller"]
    if len(sellers) != 1:
        raise InvalidInputError(f"the case has {len(sellers)} sellers; name the owner of the records with --owner")
    return sellers[0]


def _upload(server: Server, case_id: uuid.UUID, path: Path, upload: str | None) -> str:
    """The id of a complete upload of the file's bytes.

    Raises:
        ConflictError: the upload to go on with is of another size.
    """
    size = path.stat().st_size
    if upload is None:
        upload = _begin(server, case_id, path.name, size)
        click.echo(f"{path}: upload {upload} begun; after a stop go on with --resume {upload}", err=True)
    elif (announced := server.get(f"/uploads/{upload}")["size"]) != size:
        raise ConflictError(f"the upload was begun with {announced} bytes, and the file has {size}")
    with (
        path.open("rb") as source,
        click.progressbar(length=size, label=path.name, file=sys.stderr) as shown,
    ):
        offset = _offset(server, upload)
        shown.update(offset)
        while offset < size:
            source.seek(offset)
            reached = _send(server, upload, offset, source.read(PIECE_BYTES))
            shown.update(reached - offset)
            offset = reached
    return upload


def _begin(server: Server, case_id: uuid.UUID, name: str, size: int) -> str:
    told = {"case_id": str(case_id), "filename": name}
    metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in told.items())
    headers = {**_TUS, "Upload-Length": str(size), "Upload-Metadata": metadata}
    return str(server.ask("POST", "/uploads", headers=headers).headers["location"]).rpartition("/")[2]


def _send(server: Server, upload: str, offset: int, piece: bytes) -> int:
    """Sends a piece; returns the new offset, which the server is asked for after a failure."""
    headers = {**_TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    for number in range(_TRIES):
        try:
            if number and (reached := _offset(server, upload)) > offset:
                return reached
            answer = server.ask("PATCH", f"/uploads/{upload}", headers=headers, content=piece)
            return int(answer.headers["upload-offset"])
        except ServerError as error:
            if number == _TRIES - 1 or error.details.get("status") not in _TEMPORARY:
                raise
            time.sleep(2**number)
    raise AssertionError("the last try returns or raises")


def _offset(server: Server, upload: str) -> int:
    return int(server.ask("HEAD", f"/uploads/{upload}", headers=_TUS).headers["upload-offset"])
