"""Facts about the installation for those who operate it: no case, no name, no content of a record."""

import base64
import datetime as dt
import hashlib
import platform
import shutil
from itertools import islice
from typing import Any

import msgspec
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from handover import __version__
from handover.audit.models import AuditCheckpoint, AuditHead
from handover.audit.queries import VerificationView, last_verification
from handover.context import Context
from handover.crypto import mldsa, sshsig
from handover.crypto.trust import ALLOWED_SIGNERS, CA_PEM, LOG_VKEY, MLDSA_PEM
from handover.errors import NotFoundError
from handover.jobs.models import OPEN_STATES, Job
from handover.resources import data_folder
from handover.settings import POLICY_PREFIX, Policy, Settings
from handover.storage import Storage
from handover.vault import Vault
from handover.vault.signers import Signers

TRUST_FILES = (CA_PEM, ALLOWED_SIGNERS, MLDSA_PEM, LOG_VKEY)
#: As many blobs are counted; more would make the page slow.
MAX_COUNTED = 5_000
#: As many jobs of a state are listed.
MAX_JOBS = 50
#: A job that is due for longer than this has no worker.
_PATIENCE = dt.timedelta(minutes=1)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What this installation is."""

    installation: str
    log_origin: str
    public_url: str
    tsa_url: str | None
    database: str
    broker: str
    version: str
    python: str
    trust_files: tuple[str, ...]


class PolicyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One policy: its value, its default, and the variable that sets it."""

    name: str
    setting: str
    value: int
    default: int


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """The public side of one of the installation's keys."""

    purpose: str
    algorithm: str
    fingerprint: str
    until: dt.datetime | None = None


class JobRow(msgspec.Struct, frozen=True, kw_only=True):
    """A job without its message, which may name a file."""

    id: str
    kind: str
    state: str
    attempts: int
    error_code: str | None
    created_at: dt.datetime
    leased_until: dt.datetime | None
    cancel_requested: bool


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How it goes."""

    jobs: dict[str, int]
    dead: list[JobRow]
    open: list[JobRow]
    #: Since when the job has been due that waits longest for a worker; None when none waits too long.
    starving_since: dt.datetime | None
    blobs: int
    blob_bytes: int
    #: There are more blobs than were counted.
    more_blobs: bool
    disk_free: int
    disk_total: int
    log_size: int
    checkpoint_at: dt.datetime | None
    checkpoint_size: int | None
    checkpoint: str
    verification: VerificationView | None
    ring_generation: int
    ring_keys: int
    ring_destroyed: int
    keys: list[KeyRow]


def facts(ctx: Context) -> Facts:
    """What the installation is, from its settings and keys."""
    settings = ctx.get(Settings)
    return Facts(
        installation=ctx.get(Vault).installation,
        log_origin=ctx.get(Signers).origin,
        public_url=settings.public_url,
        tsa_url=settings.tsa_url,
        database=settings.database_url.partition(":")[0].partition("+")[0],
        broker=settings.broker_url.partition(":")[0],
        version=__version__,
        python=platform.python_version(),
        trust_files=TRUST_FILES,
    )


def trust_file(ctx: Context, name: str) -> bytes:
    """One of the public files that a verifier pins.

    Raises:
        NotFoundError: there is none of this name.
    """
    if name not in TRUST_FILES:
        raise NotFoundError("there is no such file")
    return (ctx.get(Settings).trust_dir / name).read_bytes()


def policies(ctx: Context) -> list[PolicyRow]:
    """All policies, in the order of the documentation."""
    policy, default = ctx.get(Settings).policy, Policy()
    return [
        PolicyRow(
            name=name,
            setting=POLICY_PREFIX + name.upper(),
            value=getattr(policy, name),
            default=getattr(default, name),
        )
        for name in Policy.__struct_fields__
    ]


def agreement_texts() -> dict[str, dict[str, Any]]:
    """The agreement templates of this version as their files have them, by kind."""
    folder = data_folder("templates") / "agreements"
    return {path.stem: msgspec.toml.decode(path.read_bytes()) for path in sorted(folder.glob("*.toml"))}


def health(ctx: Context) -> Health:
    """Jobs, storage, log and keys, as they are now."""
    settings, ring = ctx.get(Settings), ctx.get(Vault).keyring
    sizes, more = _blob_sizes(ctx)
    disk = shutil.disk_usage(settings.data_dir)
    newest = ctx.session.scalars(
        sa.select(AuditCheckpoint).order_by(AuditCheckpoint.size.desc()).limit(1)
    ).one_or_none()
    return Health(
        jobs=_by_state(ctx),
        dead=_jobs(ctx, ("dead",)),
        open=_jobs(ctx, OPEN_STATES),
        starving_since=_starving_since(ctx),
        blobs=len(sizes),
        blob_bytes=sum(sizes),
        more_blobs=more,
        disk_free=disk.free,
        disk_total=disk.total,
        log_size=ctx.session.scalars(sa.select(AuditHead.size)).one_or_none() or 0,
        checkpoint_at=newest.signed_at if newest else None,
        checkpoint_size=newest.size if newest else None,
        checkpoint=newest.note if newest else "",
        verification=last_verification(ctx),
        ring_generation=ring.generation,
        ring_keys=len(ring.key_ids()),
        ring_destroyed=len(ring.tombstones()),
        keys=_keys(ctx.get(Signers)),
    )


def _by_state(ctx: Context) -> dict[str, int]:
    rows = ctx.session.execute(sa.select(Job.state, sa.func.count()).group_by(Job.state))
    return {row[0]: row[1] for row in rows}


def _jobs(ctx: Context, states: tuple[str, ...]) -> list[JobRow]:
    query = sa.select(Job).where(Job.state.in_(states)).order_by(Job.id.desc()).limit(MAX_JOBS)
    return [
        JobRow(
            id=str(job.id),
            kind=job.kind,
            state=job.state,
            attempts=job.attempts,
            error_code=job.error_code,
            created_at=job.created_at,
            leased_until=job.leased_until,
            cancel_requested=job.cancel_requested,
        )
        for job in ctx.session.scalars(query)
    ]


def _starving_since(ctx: Context) -> dt.datetime | None:
    query = sa.select(sa.func.min(Job.run_after)).where(Job.state == "queued")
    oldest: dt.datetime | None = ctx.session.scalars(query).one_or_none()
    return oldest if oldest is not None and oldest + _PATIENCE < ctx.now() else None


def _blob_sizes(ctx: Context) -> tuple[list[int], bool]:
    storage = ctx.get(Storage)  # type: ignore[type-abstract]
    sizes = [size for _, size in islice(storage.sizes(), MAX_COUNTED + 1)]
    return sizes[:MAX_COUNTED], len(sizes) > MAX_COUNTED


def _keys(signers: Signers) -> list[KeyRow]:
    certificate = x509.load_pem_x509_certificate(signers.pdf.certificate_pem)
    return [
        KeyRow(
            purpose="manifest_key",
            algorithm="Ed25519",
            fingerprint=sshsig.fingerprint(signers.manifest_ed25519.public_key().public_bytes_raw()),
        ),
        KeyRow(
            purpose="manifest_key",
            algorithm="ML-DSA-65",
            fingerprint=mldsa.fingerprint(signers.manifest_mldsa.public_key()),
        ),
        KeyRow(purpose="log_key", algorithm="Ed25519", fingerprint=_vkey_digest(signers.log_ed25519.key.vkey)),
        KeyRow(purpose="log_key", algorithm="ML-DSA", fingerprint=_vkey_digest(signers.log_mldsa.key.vkey)),
        KeyRow(
            purpose="document_key",
            algorithm=type(certificate.public_key()).__name__.removesuffix("PublicKey").removeprefix("_"),
            fingerprint="SHA256:" + certificate.fingerprint(SHA256()).hex(),
            until=certificate.not_valid_after_utc,
        ),
    ]


def _vkey_digest(vkey: str) -> str:
    """Of the line as it stands in `log.vkey`: `sha256sum` of it, in the form that ssh-keygen prints."""
    digest = hashlib.sha256(vkey.encode()).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
