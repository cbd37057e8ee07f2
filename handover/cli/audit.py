"""`handover audit`: export and checkpoint from the installation; verify offline, with the base install alone."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import click
import msgspec

from handover.audit.export import read_lines
from handover.audit.verify import VerifiedExport, verify_export
from handover.crypto.age.files import whole_file
from handover.crypto.errors import KeyFormatError, NoteError
from handover.crypto.note import MAX_NOTE_SIZE, NoteKey, parse_vkeys

#: Exit code of what holds but whose signer is not pinned.
NOT_PINNED = 3
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_out = click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")


@click.group()
def audit() -> None:
    """Export, sign and verify the audit log."""


@audit.command()
@click.option("--case", "case_id", type=click.UUID, help="Show the entries of this case only; others as hashes.")
@_out
def export(case_id: UUID | None, out: Path | None) -> None:
    """Write the log of this installation, up to a checkpoint that is signed now."""
    from handover.app import open_installation
    from handover.audit.log import AuditLog
    from handover.context import SYSTEM
    from handover.settings import load

    installation = open_installation(load())
    log = installation.get(AuditLog)
    with contextlib.closing(installation.database):
        with installation.unit_of_work(SYSTEM) as ctx:
            log.checkpoint(ctx)
        with installation.unit_of_work(SYSTEM, write=False) as ctx, _output(out) as file:
            file.writelines(log.export(ctx, case_id))


@audit.command()
@_out
def checkpoint(out: Path | None) -> None:
    """Sign a checkpoint of the log as it is now. Keep it elsewhere: it is what later tampering is found by."""
    from handover.app import open_installation
    from handover.audit.log import AuditLog
    from handover.context import SYSTEM
    from handover.settings import load

    installation = open_installation(load())
    with contextlib.closing(installation.database), installation.unit_of_work(SYSTEM) as ctx:
        note = installation.get(AuditLog).checkpoint(ctx)
    with _output(out) as file:
        file.write(note.encode())


@audit.command()
@click.argument("export_file", metavar="EXPORT", type=_FILE)
@click.option("--checkpoint", "checkpoints", type=_FILE, multiple=True, help="A checkpoint kept elsewhere; repeatable.")
@click.option("--key", "key_files", type=_FILE, multiple=True, help="Pinned keys of the log (log.vkey); repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def verify(
    ctx: click.Context, export_file: Path, checkpoints: tuple[Path, ...], key_files: tuple[Path, ...], as_json: bool
) -> None:
    """Verify an export against kept checkpoints; exit 3 when it holds but no --key says who may sign."""
    keys = [key for path in key_files for key in _read_keys(path)]
    notes = [_read_note(path) for path in checkpoints]
    with export_file.open("rb") as file:
        verified = verify_export(read_lines(file), checkpoints=notes, keys=keys)
    click.echo(msgspec.json.encode(verified) if as_json else _summary(verified))
    if not verified.pinned:
        click.echo("the export holds, but the keys are its own: no --key was given", err=True)
        ctx.exit(NOT_PINNED)


@contextlib.contextmanager
def _output(out: Path | None) -> Iterator[BinaryIO]:
    """The file, which takes its name only when it is whole, or stdout."""
    if out is None:
        yield sys.stdout.buffer
        return
    with whole_file(out, 0o666) as file:
        yield file


def _summary(found: VerifiedExport) -> str:
    witnessed = max(found.kept, default=0)
    rows = {
        "log": found.origin,
        "entries": f"{found.size} ({found.shown} shown, {found.hidden} as hashes)",
        "root": found.root,
        "checkpoints": ", ".join(map(str, found.checkpoints)),
        "signed by": ", ".join(found.keys) + ("" if found.pinned else " (not pinned)"),
        "witnessed": f"the first {witnessed} entries, by a checkpoint that you kept",
        "not witnessed": f"{found.size - witnessed} of {found.size} entries rest on the log's own signature alone",
    }
    return "\n".join(f"{name:14} {value}" for name, value in rows.items())


def _read_keys(path: Path) -> list[NoteKey]:
    keys = parse_vkeys(_text(path, KeyFormatError))
    if not keys:
        raise KeyFormatError(f"{path}: holds no key")
    return keys


def _read_note(path: Path) -> str:
    return _text(path, NoteError)


def _text(path: Path, error_class: type[KeyFormatError] | type[NoteError]) -> str:
    with path.open("rb") as file:
        data = file.read(MAX_NOTE_SIZE + 1)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise error_class(f"{path}: not UTF-8 text") from error
