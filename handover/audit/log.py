"""The log of one installation: every append is part of the caller's transaction, indexes are contiguous, the tree is one.

A checkpoint is signed over committed entries only, so none can ever vouch for an entry that was rolled back.
"""

import secrets
import uuid
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import sqlalchemy as sa

from handover.audit.database import VerifiedLog, verify_rows
from handover.audit.entry import RANDOM_BYTES, GateRecord, encode_entry, entry_time, make_entry
from handover.audit.errors import AuditVerificationError
from handover.audit.export import Header, write_export
from handover.audit.head import committed_head, insert_once, lock_head, write_head
from handover.audit.leaves import checkpoints_up_to, leaf_hashes, newest_checkpoint, rows
from handover.audit.models import AuditCheckpoint, AuditEntry, AuditVerification
from handover.audit.proofs import ConsistencyProof, InclusionProof
from handover.context import Actor, Context
from handover.crypto import merkle
from handover.crypto.checkpoint import Checkpoint, sign_checkpoint
from handover.crypto.note import NoteKey, NoteSigner
from handover.errors import InvalidInputError, NotFoundError


class AuditLog:
    """Appends, signs, proves and exports; verifying needs only the public keys and is in `verify`."""

    def __init__(self, origin: str, ed25519: NoteSigner, mldsa: NoteSigner) -> None:
        self.origin = origin
        self._signers = (ed25519, mldsa)

    @property
    def keys(self) -> tuple[NoteKey, NoteKey]:
        """What verifies this log's checkpoints; `.vkey` of each is a line of `trust/log.vkey`."""
        return self._signers[0].key, self._signers[1].key

    def append(
        self,
        ctx: Context,
        event: str,
        *,
        entity: str,
        entity_id: uuid.UUID | None,
        case_id: uuid.UUID | None = None,
        from_state: str | None = None,
        to_state: str | None = None,
        role: str | None = None,
        on_behalf_of: uuid.UUID | None = None,
        gates: Sequence[GateRecord] = (),
        reason: str | None = None,
        details: Mapping[str, str | int] | None = None,
    ) -> int:
        """Adds one entry and returns its index; it exists when the caller's transaction commits.

        `reason` is what `reason_digest` gave; `details` holds ids, counts and digests.

        Raises:
            AuditEntryError: a value is not of the form that keeps personal data out.
        """
        frontier = lock_head(ctx.session)
        now = ctx.now()
        entry = make_entry(
            index=frontier.size,
            time=entry_time(now),
            actor=_actor(ctx.actor),
            role=role or ("system" if ctx.actor.is_system else None),
            on_behalf_of=_text(on_behalf_of),
            case=_text(case_id),
            entity=entity,
            entity_id=_text(entity_id),
            event=event,
            from_state=from_state,
            to_state=to_state,
            gates=tuple(gates),
            reason=reason,
            details={key: int(value) if isinstance(value, bool) else value for key, value in (details or {}).items()},
            request=ctx.request_id,
            random=secrets.token_hex(RANDOM_BYTES),
        )
        data = encode_entry(entry)
        leaf = merkle.leaf_hash(data)
        row = {"index": entry.index, "case_id": case_id, "time": now, "entry": data.decode(), "leaf_hash": leaf}
        ctx.session.execute(sa.insert(AuditEntry).values(row))
        frontier.append(leaf)
        write_head(ctx.session, frontier)
        return entry.index

    def checkpoint(self, ctx: Context) -> str:
        """A signed checkpoint over all committed entries, kept; needs a unit of work that may write."""
        head = committed_head(ctx.session)
        kept = self._kept(ctx, head.size)
        if kept is not None:
            return kept
        root = head.root()
        note = sign_checkpoint(Checkpoint(self.origin, head.size, root), self._signers).decode()
        row = {"size": head.size, "root": root, "note": note, "signed_at": ctx.now()}
        insert_once(ctx.session, AuditCheckpoint, row)
        return self._kept(ctx, head.size) or note

    def prove_inclusion(self, ctx: Context, index: int, size: int) -> InclusionProof:
        """Proof that entry `index` is in the tree of the first `size` entries.

        Raises:
            InvalidInputError: there is no such entry or tree.
        """
        self._check_sizes(ctx, index + 1, size)
        path = merkle.inclusion_proof(index, size, partial(leaf_hashes, ctx.session))
        (leaf,) = leaf_hashes(ctx.session, index, index + 1)
        return InclusionProof(origin=self.origin, index=index, size=size, leaf=leaf.hex(), path=_hex(path))

    def prove_consistency(self, ctx: Context, old_size: int, new_size: int) -> ConsistencyProof:
        """Proof that the tree of `old_size` entries is a prefix of that of `new_size`.

        Raises:
            InvalidInputError: there is no such tree.
        """
        self._check_sizes(ctx, old_size, new_size)
        path = merkle.consistency_proof(old_size, new_size, partial(leaf_hashes, ctx.session))
        return ConsistencyProof(origin=self.origin, old_size=old_size, new_size=new_size, path=_hex(path))

    def verify_database(self, ctx: Context) -> VerifiedLog:
        """Recomputes the whole log from its rows.

        Raises:
            AuditVerificationError: names the entry, or the smallest interval between kept checkpoints.
        """
        return verify_rows(ctx.session, self.origin, self.keys)

    def record_verification(self, ctx: Context) -> AuditVerification:
        """Recomputes the log and keeps the outcome, good or bad; the newest one is what pages show."""
        row = self.recompute(ctx)
        ctx.session.add(row)
        ctx.session.flush()
        return row

    def recompute(self, ctx: Context) -> AuditVerification:
        """The outcome of a full recomputation, not kept yet: it takes long, so no writer should wait for it."""
        row = AuditVerification(verified_at=ctx.now())
        try:
            verified = self.verify_database(ctx)
            row.size, row.root = verified.size, bytes.fromhex(verified.root)
        except AuditVerificationError as error:
            head = committed_head(ctx.session)
            row.size, row.root = head.size, head.root()
            row.problem, row.first_index, row.last_index = error.problem, error.first, error.last
        return row

    def export(self, ctx: Context, case_id: uuid.UUID | None = None) -> Iterator[bytes]:
        """Lines of an export up to the newest kept checkpoint (so make one before); reads while it is iterated.

        With a case, entries of all others are shown as leaf hashes only.

        Raises:
            NotFoundError: no checkpoint was ever made.
        """
        newest = newest_checkpoint(ctx.session)
        if newest is None:
            raise NotFoundError("the log has no checkpoint yet; make one and export again")
        header = Header(
            origin=self.origin,
            size=newest.size,
            root=newest.root.hex(),
            case=_text(case_id),
            keys=tuple(key.vkey for key in self.keys),
        )
        leaves = (
            (row.entry.encode() if case_id in (None, row.case_id) else None, row.leaf_hash)
            for row in rows(ctx.session, newest.size)
        )
        return write_export(header, checkpoints_up_to(ctx.session, newest.size), leaves)

    def _check_sizes(self, ctx: Context, small: int, large: int) -> None:
        if not 0 <= small <= large <= committed_head(ctx.session).size:
            raise InvalidInputError("the log has no such entry or no tree of that size", field="size")

    def _kept(self, ctx: Context, size: int) -> str | None:
        query = sa.select(AuditCheckpoint.note).where(AuditCheckpoint.size == size)
        return ctx.session.execute(query).scalar_one_or_none()


def _actor(actor: Actor) -> str:
    return str(actor.person_id) if actor.person_id is not None else actor.kind


def _text(identifier: uuid.UUID | None) -> str | None:
    return None if identifier is None else str(identifier)


def _hex(path: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(node.hex() for node in path)
