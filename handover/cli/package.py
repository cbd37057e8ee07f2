"""`handover package`: seal, inspect, open and receipt, all offline. Data on stdout; progress on stderr of a terminal."""

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from handover.archive import open as opening
from handover.archive.errors import TargetExistsError
from handover.archive.head import SigningKeys
from handover.archive.open import Inspection, Opened
from handover.archive.package import Progress
from handover.archive.receipt import Defect, make_receipt
from handover.archive.standalone import seal_paths
from handover.archive.texts import how_to_open
from handover.crypto import sshsig
from handover.crypto.age import Passphrase, decrypt_bytes
from handover.crypto.age.files import whole_file
from handover.crypto.errors import KeyFormatError
from handover.crypto.trust import Trust, load_trust

#: Exit code of what holds but whose signer is not pinned.
NOT_PINNED = 3
#: Seconds between two looks of the progress bar.
_SHOWN_EVERY = 0.1
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_NEW = click.Path(path_type=Path)

_identity = click.option(
    "-i", "--identity", "identities", type=_FILE, multiple=True, required=True, help="Identity file; may be repeated."
)
_trust = click.option("--trust", "trust_dir", type=_FOLDER, help="Folder of pinned public keys.")
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def package() -> None:
    """Seal, inspect and open packages."""


@package.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--to", "recipients", multiple=True, required=True, help="Recipient (age1… or age1pq1…); may be repeated."
)
@click.option("--out", required=True, type=_NEW, help="The package file to write.")
@click.option("--sign-key", type=_FILE, help="OpenSSH Ed25519 private key that signs the manifest.")
@_json
def seal(paths: tuple[Path, ...], recipients: tuple[str, ...], out: Path, sign_key: Path | None, as_json: bool) -> None:
    """Seal files and folders for one or more recipients, and verify what was written."""
    keys = SigningKeys(sshsig.private_from_openssh(sign_key.read_bytes())) if sign_key else None
    with _progress("sealing") as progress:
        result = seal_paths(paths, recipients, out, keys=keys, progress=progress)
    instructions = out.with_name("HOW-TO-OPEN.html")
    if not instructions.exists():
        instructions.write_bytes(how_to_open())
    _show(
        {
            "file": str(out),
            "size": result.size,
            "files": result.files_count,
            "recipients": list(result.stanza_kinds),
            "manifest_sha256": result.manifest_sha256,
            "receipt_key": result.receipt_key,
        },
        as_json,
    )


@package.command()
@click.argument("file", type=_FILE)
@click.option("-i", "--identity", "identities", type=_FILE, multiple=True, help="Identity file, to look inside.")
@_json
def inspect(file: Path, identities: tuple[Path, ...], as_json: bool) -> None:
    """Show the outside of a package and, with an identity, its manifest. Content and signer are not verified."""
    keys = _read_identities(identities) if identities else None
    with _progress("reading") as progress:
        found = opening.inspect(file, keys, progress=progress)
    _show(msgspec.to_builtins(found) if as_json else _summary(found), as_json)


@package.command(name="open")
@click.argument("file", type=_FILE)
@_identity
@click.option("-o", "--out", required=True, type=_NEW, help="Folder to make; it must not exist or be empty.")
@click.option("--only", multiple=True, help="Unpack only this path; may be repeated.")
@_trust
@_json
@click.pass_context
def open_(
    ctx: click.Context,
    file: Path,
    identities: tuple[Path, ...],
    out: Path,
    only: tuple[str, ...],
    trust_dir: Path | None,
    as_json: bool,
) -> None:
    """Verify a package and unpack it; exit 3 when it holds but no --trust says who may sign."""
    keys = _read_identities(identities)
    with _progress("opening") as progress:
        opened = opening.open_package(
            file, keys, out, trust=_load(trust_dir), only=list(only) or None, progress=progress
        )
    _show(_opened(opened) | {"folder": str(out)}, as_json)
    _finish(ctx, opened.signed_by.pinned)


@package.command()
@click.argument("file", type=_FILE)
@_identity
@click.option("--out", required=True, type=_NEW, help="The receipt file to write.")
@click.option("--defect", "defects", type=(str, str), multiple=True, metavar="PATH TEXT", help="Something found wrong.")
@_trust
@click.pass_context
def receipt(
    ctx: click.Context,
    file: Path,
    identities: tuple[Path, ...],
    out: Path,
    defects: tuple[tuple[str, str], ...],
    trust_dir: Path | None,
) -> None:
    """Verify a package fully and sign a receipt with the key inside it."""
    if out.exists():
        raise TargetExistsError(f"{out}: exists already; name another file")
    keys, trust = _read_identities(identities), _load(trust_dir)
    with _progress("verifying") as progress:
        data = make_receipt(file, keys, trust=trust, defects=[Defect(*pair) for pair in defects], progress=progress)
    with whole_file(out, 0o666) as sink:
        sink.write(data)
    click.echo(str(out))
    _finish(ctx, trust is not None)


def _finish(ctx: click.Context, pinned: bool) -> None:
    if not pinned:
        click.echo("the package holds, but its signer is not pinned: no --trust was given", err=True)
        ctx.exit(NOT_PINNED)


def _load(folder: Path | None) -> Trust | None:
    return load_trust(folder) if folder else None


def _read_identities(paths: tuple[Path, ...]) -> list[str]:
    """Texts of identity files; one that is itself an age file is opened with its passphrase."""
    texts = []
    for path in paths:
        data = path.read_bytes()
        if data.startswith((b"age-encryption.org/", b"-----BEGIN AGE")):
            phrase = click.prompt(f"Passphrase of {path}", hide_input=True, err=True)
            data = decrypt_bytes(data, [Passphrase(phrase)])
        try:
            texts.append(data.decode())
        except UnicodeDecodeError as error:
            raise KeyFormatError(f"{path}: not an identity file") from error
    return texts


def _opened(opened: Opened) -> dict[str, Any]:
    return {
        "package": opened.manifest.package.number,
        "purpose": opened.manifest.package.purpose,
        "files": opened.manifest.files.count,
        "verified": opened.verified,
        "manifest_sha256": opened.manifest_sha256,
        "signer": msgspec.to_builtins(opened.signed_by),
        "pinned": opened.signed_by.pinned,
    }


def _summary(found: Inspection) -> dict[str, Any]:
    outside = {"size": found.size, "sha256": found.sha256, "recipients": list(found.stanzas)}
    if found.manifest is None:
        return outside
    head = found.manifest
    return outside | {
        "package": head.package.number,
        "purpose": head.package.purpose,
        "built at": head.package.built_at,
        "files": head.files.count,
        "bytes": head.files.size,
        "records": head.files.records,
        "manifest_sha256": found.manifest_sha256,
        "paths": [line.path for line in found.files],
    }


def _show(values: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(values))
        return
    for name, value in values.items():
        items = value if isinstance(value, list) else [value]
        for item in items:
            click.echo(f"{name:16} {item}")


@contextlib.contextmanager
def _progress(what: str) -> Iterator[Progress | None]:
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn(what), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    # Without a thread that draws: a process that has threads can't be forked safely, so that packing would go without its second one.
    with Bar(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task, shown = bar.add_task(what, total=None), 0.0

        def show(done: int, total: int) -> None:
            nonlocal shown
            # A package of many small files tells so much of its progress that showing all of it would slow it down.
            if (now := time.monotonic()) - shown > _SHOWN_EVERY or done == total:
                shown = now
                bar.update(task, completed=done, total=total, refresh=True)

        yield show
