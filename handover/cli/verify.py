"""`handover verify`: says of any file of ours what it is and whether it holds, offline, with the base installation.

A file is recognised by its content, never by its name. A receipt proves access to the inside of a package, so it is
fully checked only beside that package; alone, its signature is checked against the key that it was made with.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec

from handover.cli.exit_codes import OK, PARTIAL, VERIFICATION
from handover.crypto.trust import Trust, load_trust
from handover.errors import HandoverError, InvalidInputError

_HEAD = 64
_AGE, _ARMOR = b"age-encryption.org/v1\n", b"-----BEGIN AGE ENCRYPTED FILE-----"
_EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What one file is; `holds` is None when it holds but who signed it is not pinned."""

    path: str
    kind: str
    holds: bool | None
    detail: str
    facts: dict[str, Any] = msgspec.field(default_factory=dict)


@click.command()
@click.argument("files", nargs=-1, required=True, type=_EXISTING)
@click.option(
    "--trust",
    "trust_dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Pinned keys: the folder `trust`.",
)
@click.option(
    "--checkpoint", "checkpoints", type=_EXISTING, multiple=True, help="A checkpoint of the log that you kept."
)
@click.option("-i", "identities", type=_EXISTING, multiple=True, help="Identity file, to look inside packages.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def verify(
    ctx: click.Context,
    files: tuple[Path, ...],
    trust_dir: Path | None,
    checkpoints: tuple[Path, ...],
    identities: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Verify packages, documents, receipts and log exports."""
    trust = load_trust(trust_dir) if trust_dir else None
    kept = [path.read_text() for path in checkpoints]
    verdicts = [_judge(path, trust, kept, identities) for path in files]
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(verdicts)))
    else:
        for verdict in verdicts:
            word = {True: "holds", False: "DOES NOT HOLD", None: "holds, signer not pinned"}[verdict.holds]
            click.echo(f"{verdict.path}: {verdict.kind}: {word}: {verdict.detail}")
    if any(verdict.holds is False for verdict in verdicts):
        ctx.exit(VERIFICATION)
    ctx.exit(PARTIAL if any(verdict.holds is None for verdict in verdicts) else OK)


def _judge(path: Path, trust: Trust | None, checkpoints: list[str], identities: tuple[Path, ...]) -> Verdict:
    kind, check = _recognise(path)
    try:
        return check(path, trust, checkpoints, identities)
    except HandoverError as error:
        return Verdict(path=str(path), kind=kind, holds=False, detail=error.message)


def _recognise(path: Path) -> tuple[str, Callable[..., Verdict]]:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith((_AGE, _ARMOR)):
        return "package", _package
    if head.startswith(b"%PDF-"):
        return "document", _document
    if head.startswith(b'{"counts":'):
        return "receipt", _receipt
    if head.startswith(b"{"):
        return "audit export", _export
    return "unknown", _unknown


def _package(path: Path, trust: Trust | None, _checkpoints: list[str], identities: tuple[Path, ...]) -> Verdict:
    from handover.archive.open import inspect, verify_package
    from handover.crypto.age import identities_in

    if not identities:
        found = inspect(path)
        detail = "the header is well-formed; give the identity with -i to check what is inside"
        return Verdict(path=str(path), kind="package", holds=None, detail=detail, facts=_facts(found))
    keys = [key for file in identities for key in identities_in(file.read_text())]
    opened = verify_package(path, keys, trust=trust)
    manifest = opened.manifest
    detail = (
        f"{manifest.package.number}, {manifest.files.count} files, {manifest.files.records} records, every hash matches"
    )
    return Verdict(path=str(path), kind="package", holds=opened.signed_by.pinned or None, detail=detail)


def _document(path: Path, trust: Trust | None, _checkpoints: list[str], _identities: tuple[Path, ...]) -> Verdict:
    from handover.documents.verify import verify_pdf

    found = verify_pdf(path.read_bytes(), ca_pem=trust.ca_pem if trust else None)
    detail = f"{found.kind} {found.number}, sealed over the whole file ({found.level}) by {found.signer}"
    return Verdict(path=str(path), kind="document", holds=found.pinned or None, detail=detail, facts=found.facts)


def _receipt(path: Path, _trust: Trust | None, _checkpoints: list[str], _identities: tuple[Path, ...]) -> Verdict:
    from handover.archive.receipt import NAMESPACE, read_receipt
    from handover.crypto import sshsig

    data = path.read_bytes()
    receipt = read_receipt(data)
    statement, _, signature = data.partition(b"\n")
    sshsig.verify(signature, NAMESPACE, statement, [sshsig.signer_of(signature)])
    detail = f"for {receipt.package}, {receipt.counts.files} files, {len(receipt.defects)} defects; compare its key with the manifest's"
    return Verdict(path=str(path), kind="receipt", holds=None, detail=detail)


def _export(path: Path, trust: Trust | None, checkpoints: list[str], _identities: tuple[Path, ...]) -> Verdict:
    from handover.audit.export import read_lines
    from handover.audit.verify import verify_export

    keys = trust.log_keys if trust else ()
    with path.open("rb") as file:
        found = verify_export(read_lines(file), checkpoints=checkpoints, keys=keys)
    detail = f"{found.size} entries, root {found.root[:16]}…, {len(checkpoints)} kept checkpoint(s) agree"
    return Verdict(path=str(path), kind="audit export", holds=True if keys else None, detail=detail)


def _unknown(path: Path, *_rest: object) -> Verdict:
    raise InvalidInputError(f"{path}: neither a package, a document, a receipt nor a log export of ours")


def _facts(found: object) -> dict[str, Any]:
    facts: dict[str, Any] = msgspec.to_builtins(found, enc_hook=str)
    return facts
