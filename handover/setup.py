"""Makes an installation: keys, certificate authority, database and the first administrator's link; all of it or nothing.

A marker in the data directory says that the work is not finished. While it is there the vault does not open, and the
next run removes what the interrupted one made. Keys that were there before are never touched.
"""

import contextlib
import datetime as dt
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import msgspec
import sqlalchemy as sa

from handover import migrations
from handover.accounts.people import Invited
from handover.accounts.service import invite_admin
from handover.archive.manifest import NAMESPACE as MANIFEST_NAMESPACE
from handover.audit import AuditLog
from handover.audit.models import AuditEntry
from handover.context import SYSTEM, Context, Installation
from handover.crypto import mldsa
from handover.crypto.signers import Signer, format_allowed_signers
from handover.crypto.trust import ALLOWED_SIGNERS, CA_PEM, LOG_VKEY, MLDSA_PEM
from handover.db import Database
from handover.documents import ca
from handover.settings import Settings
from handover.storage import open_storage
from handover.storage.local import fsync_directory
from handover.vault import AlreadyInitialisedError, CopyBinding, Keyring, Vault, signers
from handover.vault.durable import mapped_errors, write_new
from handover.vault.signers import PdfSigningKey, Signers
from handover.vault.vault import INITIALISING, forbid_core_dumps

#: A data directory that is a file system of its own holds this from the start.
_IGNORED = frozenset({"lost+found"})


class InitResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator is told, once."""

    installation: str
    #: Link and code go to the first administrator over two channels.
    link: str
    code: str
    expires_at: dt.datetime
    trust_dir: Path
    master_key_file: Path
    #: To be taken offline: whoever holds it can certify any signer of documents.
    ca_key_file: Path

    def __repr__(self) -> str:
        return f"InitResult({self.installation})"  # link and code are secrets


class _Marker(msgspec.Struct, frozen=True):
    """What an unfinished run may have made outside the data directory."""

    master_key_file: str
    ca_key_file: str
    made_folder: bool


def initialise(
    settings: Settings, *, admin_email: str, admin_name: str | None = None, demo: bool = False
) -> InitResult:
    """Makes the installation that `settings` describe.

    Raises:
        AlreadyInitialisedError: something is there already; nothing was changed.
        HandoverError: it could not be made; nothing is left of it.
    """
    forbid_core_dumps()
    with _all_or_nothing(settings):
        vault = _make_keys(settings)
        keys = _make_signers(settings, vault, demo=demo)
        _write_trust(settings, keys)
        invited = _make_database(settings, vault, keys, admin_email, admin_name, demo=demo)
    return InitResult(
        installation=vault.installation,
        link=invited.link,
        code=invited.code,
        expires_at=invited.expires_at,
        trust_dir=settings.trust_dir,
        master_key_file=settings.master_key_file,
        ca_key_file=ca_key_file(settings),
    )


def ca_key_file(settings: Settings) -> Path:
    """Where the private key of the certificate authority is handed out, beside the data directory."""
    return settings.data_dir.with_name(settings.data_dir.name + ".ca.key")


def _make_keys(settings: Settings) -> Vault:
    keyring = Keyring.create(settings.keyring_dir, settings.master_key_file)
    vault = Vault(keyring, open_storage(settings.storage_url, settings.spool_dir))
    vault.storage.examine()
    vault.create_secret("accounts")
    vault.create_secret("server")
    # Not a copy of the register: what it seals (issued documents, mandates, scans) outlives every case.
    bound = CopyBinding(case=None, copy=uuid.UUID(keyring.installation), role="evidence", level="L4")
    vault.create_copy("evidence", bound)
    return vault


def _make_signers(settings: Settings, vault: Vault, *, demo: bool) -> Signers:
    authority = ca.create_authority(vault.installation, demo=demo)
    issued = ca.issue_pdf_signer(authority, demo=demo)
    with mapped_errors("the key of the certificate authority could not be written"):
        write_new(ca_key_file(settings), authority.private_pem)
    pdf = PdfSigningKey(
        private_pem=issued.private_pem, certificate_pem=issued.certificate_pem, chain_pem=authority.certificate_pem
    )
    return signers.create(vault.keyring, pdf)


def _write_trust(settings: Settings, keys: Signers) -> None:
    """The public halves, for whoever verifies; readable by all."""
    manifest = Signer(keys.origin, keys.manifest_ed25519.public_key().public_bytes_raw(), (MANIFEST_NAMESPACE,))
    files = {
        CA_PEM: keys.pdf.chain_pem,
        ALLOWED_SIGNERS: format_allowed_signers([manifest]).encode(),
        MLDSA_PEM: mldsa.public_to_pem(keys.manifest_mldsa.public_key()),
        LOG_VKEY: "".join(f"{signer.key.vkey}\n" for signer in (keys.log_ed25519, keys.log_mldsa)).encode(),
    }
    with mapped_errors("the public keys could not be written"):
        settings.trust_dir.mkdir(mode=0o755)
        for name, data in files.items():
            write_new(settings.trust_dir / name, data)
            (settings.trust_dir / name).chmod(0o644)


def _make_database(
    settings: Settings, vault: Vault, keys: Signers, admin_email: str, admin_name: str | None, *, demo: bool
) -> Invited:
    database = Database(settings.database_url)
    try:
        migrations.upgrade(database)
        for path in settings.data_dir.glob("*.db*"):
            path.chmod(0o600)
        log = AuditLog(keys.origin, keys.log_ed25519, keys.log_mldsa)
        installation = Installation(database, {Settings: settings, Vault: vault, Signers: keys, AuditLog: log})
        with installation.unit_of_work(SYSTEM) as ctx:
            _refuse_used(ctx)
            identifier = uuid.UUID(vault.installation)
            details = {"demo": int(demo)}
            log.append(ctx, "installation.initialised", entity="installation", entity_id=identifier, details=details)
            return invite_admin(ctx, admin_email, admin_name or admin_email)
    finally:
        database.close()


def _refuse_used(ctx: Context) -> None:
    """A database outside the data directory may hold another installation's rows."""
    if ctx.session.execute(sa.select(AuditEntry.index).limit(1)).first() is not None:
        raise AlreadyInitialisedError(
            "the database belongs to another installation: its audit log has entries; set HANDOVER_DATABASE_URL"
        )


@contextlib.contextmanager
def _all_or_nothing(settings: Settings) -> Iterator[None]:
    marker = settings.data_dir / INITIALISING
    with mapped_errors(f"the data directory {settings.data_dir} could not be made"):
        if marker.exists():
            _undo(settings.data_dir)
        _refuse_existing(settings)
        made_folder = not settings.data_dir.exists()
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.data_dir.chmod(0o700)
        named = _Marker(str(settings.master_key_file), str(ca_key_file(settings)), made_folder)
        write_new(marker, msgspec.json.encode(named))
    try:
        yield
    except BaseException:
        _undo(settings.data_dir)
        raise
    marker.unlink()
    fsync_directory(settings.data_dir)


def _refuse_existing(settings: Settings) -> None:
    taken = [path for path in (settings.master_key_file, ca_key_file(settings)) if os.path.lexists(path)]
    if settings.data_dir.exists():
        taken += [path for path in settings.data_dir.iterdir() if path.name not in _IGNORED]
    if taken:
        raise AlreadyInitialisedError(
            f"{taken[0]} exists: there is an installation already, or the place is in use; nothing was changed"
        )


def _undo(data_dir: Path) -> None:
    """Removes what an unfinished run made. The marker goes last, so this can be cut off and repeated."""
    marker = data_dir / INITIALISING
    made = msgspec.json.decode(marker.read_bytes(), type=_Marker)
    for outside in (made.master_key_file, made.ca_key_file):
        Path(outside).unlink(missing_ok=True)
    for path in data_dir.iterdir():
        if path.is_dir() and path.name not in _IGNORED:
            shutil.rmtree(path)
        elif path != marker and path.name not in _IGNORED:
            path.unlink()
    marker.unlink()
    if made.made_folder:
        data_dir.rmdir()
