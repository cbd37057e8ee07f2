"""`handover doctor`: looks whether an installation is whole, without changing it (but for a key rotation that was cut
off, which whoever opens the key ring finishes). Exit 1 when something must be mended.

A check that needs one that failed says so instead of guessing. `--repair` removes blobs that no row names; it is for
an installation whose server and workers are stopped.
"""

import contextlib
import os
from collections.abc import Callable
from typing import Literal, TypeVar

import click
import msgspec
import sqlalchemy as sa

from handover import settings as configuration
from handover.app import open_installation
from handover.audit.database import verify_rows
from handover.cli import reconcile
from handover.crypto.trust import load_trust
from handover.db import Base, Database
from handover.errors import HandoverError
from handover.resources import data_folder
from handover.rooms import load_tables
from handover.settings import Settings, refuse_loose_permissions
from handover.setup import ca_key_file
from handover.storage import BlobExistsError, Storage, new_blob_key, open_storage
from handover.vault import Vault
from handover.vault.signers import Signers
from handover.workflow.definition import read

#: Without these two no document can be made, and any other lacks rare characters of names.
_FONTS = ("NotoSansSC-Regular.ttf", "NotoSansSC-Bold.ttf")
_PROBE = os.urandom(64)

T = TypeVar("T")
State = Literal["ok", "warning", "failed", "not checked"]


class Check(msgspec.Struct, frozen=True):
    """One line of the answer."""

    name: str
    state: State
    detail: str


class _Warning(Exception):  # noqa: N818 - no error: the check passed, and there is something to say
    pass


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--repair", is_flag=True, help="Remove blobs that no row names. Stop server and workers first.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool, repair: bool) -> None:
    """Check settings, permissions, keys, workflows, fonts, database, storage and the audit log."""
    checks = examine(repair=repair)
    if as_json:
        click.echo(msgspec.json.encode({"checks": checks}))
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            click.echo(f"{check.name:{width}}  {check.state:11}  {check.detail}")
    if any(check.state == "failed" for check in checks):
        ctx.exit(1)


def examine(*, repair: bool = False) -> list[Check]:
    """All checks of the installation that the environment's settings describe."""
    found = _Findings()
    settings = found.run("settings", configuration.load, lambda one: f"data in {one.data_dir}")
    found.run("fonts", _fonts, str)
    found.run("workflows", _workflows, str)
    if settings is None or found.run("installation", lambda: _installation(settings), str) is None:
        return found.skip("permissions", "keys", "database", "storage", "blobs", "audit log")
    found.run("permissions", lambda: _permissions(settings), str)
    signers = found.run("keys", lambda: _keys(settings), lambda one: f"log {one.origin}, 5 signing keys")
    if signers is not None:
        found.run("start", lambda: _start(settings), str)
    database = found.run("database", lambda: _database(settings), lambda one: str(one.engine.dialect.name))
    found.run("storage", lambda: _storage(settings), str)
    if database is None:
        return found.skip("blobs", "audit log")
    try:
        found.run("blobs", lambda: _blobs(settings, database, repair=repair), str)
        if signers is None:
            return found.skip("audit log")
        found.run("audit log", lambda: _audit_log(database, signers), str)
    finally:
        database.close()
    return found.checks


class _Findings:
    def __init__(self) -> None:
        self.checks: list[Check] = []

    def run(self, name: str, check: Callable[[], T], say: Callable[[T], str]) -> T | None:
        """What the check found, or None when it failed."""
        try:
            result = check()
        except _Warning as warning:
            self.checks.append(Check(name, "warning", str(warning)))
            return None
        except HandoverError as error:
            self.checks.append(Check(name, "failed", f"{error.message} ({error.code})"))
            return None
        except (OSError, sa.exc.SQLAlchemyError) as error:
            self.checks.append(Check(name, "failed", f"{type(error).__name__}: {error}".splitlines()[0]))
            return None
        self.checks.append(Check(name, "ok", say(result)))
        return result

    def skip(self, *names: str) -> list[Check]:
        """Notes that these could not be looked at."""
        self.checks += [Check(name, "not checked", "needs a check that failed above") for name in names]
        return self.checks


def _fonts() -> str:
    folder = data_folder("templates") / "documents" / "fonts"
    for name in _FONTS:
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder / name} is missing; install handover again")
    return ", ".join(_FONTS)


def _workflows() -> str:
    loaded = [read(path).definition for path in sorted(data_folder("workflows").glob("*.toml"))]
    return ", ".join(f"{one.name} v{one.version}" for one in loaded)


def _installation(settings: Settings) -> str:
    with contextlib.suppress(configuration.SettingsError):  # loose permissions are the next check's
        Vault.open(settings)
    return "made whole"


def _permissions(settings: Settings) -> str:
    for path in (settings.data_dir, settings.keyring_dir, *settings.keyring_dir.iterdir(), settings.master_key_file):
        refuse_loose_permissions(path)
    for path in settings.trust_dir.iterdir():
        if path.stat().st_mode & 0o022:
            raise OSError(f"{path}: others may replace this public key; run: chmod go-w '{path}'")
    authority = ca_key_file(settings)
    if authority.exists():
        raise _Warning(f"{authority} is still on this machine; move it to a medium that is kept offline")
    return "readable by this user alone"


def _keys(settings: Settings) -> Signers:
    vault = Vault.open(settings)
    for key_id in ("accounts", "server", "evidence"):
        vault.keyring.secret(key_id)
    signers = Signers.load(vault.keyring)
    trust = load_trust(settings.trust_dir)
    pinned = (
        [signer.public_key for signer in trust.signers],
        trust.mldsa65.public_bytes_raw() if trust.mldsa65 else b"",
        list(trust.log_keys),
        trust.ca_pem,
    )
    own = (
        [signers.manifest_ed25519.public_key().public_bytes_raw()],
        signers.manifest_mldsa.public_key().public_bytes_raw(),
        [signers.log_ed25519.key, signers.log_mldsa.key],
        signers.pdf.chain_pem,
    )
    if pinned != own:
        raise OSError(f"the public keys in {settings.trust_dir} are not those of the key ring")
    return signers


def _start(settings: Settings) -> str:
    """Assembles the service as a start does: every name in a workflow file must be one that a room has."""
    installation = open_installation(settings)
    installation.database.close()
    return f"{len(installation.services)} services"


def _database(settings: Settings) -> Database:
    load_tables()
    database = Database(settings.database_url)
    with database.transaction(write=False) as session:
        present = set(sa.inspect(session.connection()).get_table_names())
    missing = sorted(set(Base.metadata.tables) - present)
    if missing:
        database.close()
        raise OSError(f"tables are missing: {', '.join(missing)}; run: handover migrate")
    return database


def _storage(settings: Settings) -> str:
    storage, key = open_storage(settings.storage_url, settings.spool_dir), new_blob_key()
    unknown = storage.examine()
    _write_probe(storage, key)
    try:
        with storage.open(key) as source:
            if source.read() != _PROBE:
                raise OSError("what was written is not what was read")
        if not _is_refused(storage, key):
            unknown.append("the store lets a blob be overwritten; only the randomness of keys forbids it")
    finally:
        storage.delete(key)
    if storage.exists(key):
        raise OSError("a blob that was deleted is still there")
    if unknown:
        raise _Warning("; ".join(unknown))
    return "written, read and deleted"


def _write_probe(storage: Storage, key: str) -> None:
    with storage.create(key) as target:
        target.write(_PROBE)


def _is_refused(storage: Storage, key: str) -> bool:
    try:
        _write_probe(storage, key)
    except BlobExistsError:
        return True
    return False


def _blobs(settings: Settings, database: Database, *, repair: bool) -> str:
    storage = open_storage(settings.storage_url, settings.spool_dir)
    difference = reconcile.compare(database, storage)
    if repair:
        storage.claim(Vault.open(settings).installation)
        for key in difference.orphans:
            storage.delete(key)
        storage.sweep()
    if difference.missing:
        shown = ", ".join(difference.missing[:5])
        raise OSError(f"{len(difference.missing)} blobs are missing that rows need: {shown}")
    if difference.orphans:
        done = "removed" if repair else "run: handover doctor --repair, with server and workers stopped"
        raise _Warning(f"{len(difference.orphans)} blobs belong to no row; {done}")
    return f"{difference.blobs} blobs, each has its row"


def _audit_log(database: Database, signers: Signers) -> str:
    keys = [signers.log_ed25519.key, signers.log_mldsa.key]
    with database.transaction(write=False) as session:
        verified = verify_rows(session, signers.origin, keys)
    return f"{verified.size} entries, {verified.checkpoints} checkpoints hold"
