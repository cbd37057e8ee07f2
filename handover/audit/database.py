"""Recomputes the whole log from its rows: entries, leaf hashes, tree, kept checkpoints and their signatures.

It finds what was altered by someone who cannot sign. Who holds the signing keys as well is found only by a checkpoint
that somebody else kept: that is what `verify_export` is for.
"""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from handover.audit.entry import decode_entry, entry_time
from handover.audit.errors import AuditVerificationError
from handover.audit.leaves import StoredEntry, rows
from handover.audit.models import HEAD_ID, AuditCheckpoint, AuditEntry, AuditHead
from handover.audit.tree import AttestedTree, Head
from handover.crypto.checkpoint import verify_checkpoint
from handover.crypto.errors import CanonicalError, CryptoError
from handover.crypto.merkle import Frontier, leaf_hash
from handover.crypto.note import NoteKey
from handover.db import Session


class VerifiedLog(msgspec.Struct, frozen=True):
    """The tree that the rows make, and how many kept checkpoints agree with it."""

    size: int
    root: str
    checkpoints: int


def verify_rows(session: Session, origin: str, keys: Sequence[NoteKey]) -> VerifiedLog:
    """Checks every row of the log.

    Raises:
        AuditVerificationError: names the entry, or the smallest interval between kept checkpoints.
    """
    # The order matters where others append meanwhile: checkpoints, then the head, then the entries below it.
    heads = _heads(session, origin, keys)
    stored = session.execute(sa.select(AuditHead.size, AuditHead.frontier).where(AuditHead.id == HEAD_ID)).one_or_none()
    size, frontier = (0, Frontier().to_bytes()) if stored is None else (stored.size, stored.frontier)
    tree = AttestedTree(heads)
    for row in rows(session, size):
        tree.append(_leaf(row, tree.size))
    tree.finish()
    if tree.size != size or tree.edge() != frontier:
        last = max(tree.size, size) - 1
        located = (tree.attested, last) if tree.attested <= last else (None, None)
        raise AuditVerificationError("the stored head is not that of the entries", "head_differs", *located)
    _refuse_rows_beyond_head(session)
    return VerifiedLog(size, tree.root().hex(), len(heads))


def _heads(session: Session, origin: str, keys: Sequence[NoteKey]) -> list[Head]:
    heads = []
    for row in session.scalars(sa.select(AuditCheckpoint).order_by(AuditCheckpoint.size)):
        name = f"the kept checkpoint of size {row.size}"
        try:
            checkpoint = verify_checkpoint(row.note.encode(), keys, origin)
        except CryptoError as error:
            raise AuditVerificationError(f"{name} does not hold: {error}", "checkpoint_not_signed") from error
        if (checkpoint.size, checkpoint.root) != (row.size, row.root):
            raise AuditVerificationError(f"{name} says something else than its row", "checkpoint_not_signed")
        heads.append(Head(checkpoint.size, checkpoint.root, name))
    return heads


def _leaf(row: StoredEntry, position: int) -> bytes:
    data = row.entry.encode()
    try:
        entry = decode_entry(data)
    except CanonicalError as error:
        raise AuditVerificationError(
            f"entry {position} is malformed: {error}", "line_malformed", position, position
        ) from error
    leaf = leaf_hash(data)
    if row.index != position or entry.index != position:
        raise AuditVerificationError(
            f"entry {position} is missing or moved: here stands {entry.index}", "entry_moved", position, position
        )
    columns = (None if row.case_id is None else str(row.case_id), entry_time(row.time), row.leaf_hash)
    if columns != (entry.case, entry.time, leaf):
        raise AuditVerificationError(
            f"entry {position} was altered: its bytes do not have its leaf hash, case or time",
            "entry_altered",
            position,
            position,
        )
    return leaf


def _refuse_rows_beyond_head(session: Session) -> None:
    """One statement, so that it sees one moment of an append that is going on."""
    head = sa.select(sa.func.coalesce(sa.func.max(AuditHead.size), 0)).scalar_subquery()
    beyond = session.execute(sa.select(sa.func.min(AuditEntry.index)).where(AuditEntry.index >= head)).scalar_one()
    if beyond is not None:
        raise AuditVerificationError(f"entry {beyond} lies beyond the head", "entry_moved", beyond, beyond)
