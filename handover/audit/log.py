"""The log of one installation: every append is part of the caller's transaction, indexes are contiguous, the tree is one.

A checkpoint is signed over committed entries only, so none can ever vouch for an entry that was rolled back.
"""

import secrets
import uuid
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from handover.audit.entry import RANDOM_BYTES, GateRecord, encode_entry, entry_time, make_entry
from handover.audit.head import committed_head, insert_once, lock_head, write_head
from handover.audit.models import AuditCheckpoint, AuditEntry
from handover.context import Actor, Context
from handover.crypto.checkpoint import Checkpoint, sign_checkpoint
from handover.crypto.merkle import leaf_hash
from handover.crypto.note import NoteKey, NoteSigner


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
        leaf = leaf_hash(data)
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

    def _kept(self, ctx: Context, size: int) -> str | None:
        query = sa.select(AuditCheckpoint.note).where(AuditCheckpoint.size == size)
        return ctx.session.execute(query).scalar_one_or_none()


def _actor(actor: Actor) -> str:
    return str(actor.person_id) if actor.person_id is not None else actor.kind


def _text(identifier: uuid.UUID | None) -> str | None:
    return None if identifier is None else str(identifier)
