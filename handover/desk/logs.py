"""Checks of the log that people ask for on pages: one entry against the newest checkpoint, an older checkpoint against now."""

import uuid

import msgspec

from handover.audit import AuditLog
from handover.audit.entry import encode_entry
from handover.audit.errors import AuditVerificationError
from handover.audit.head import committed_head
from handover.audit.proofs import encode_proof, verify_consistency, verify_inclusion
from handover.audit.queries import entry_of, newest_note
from handover.context import Context
from handover.crypto.checkpoint import read_checkpoint
from handover.crypto.errors import CryptoError
from handover.errors import HandoverError, NotFoundError


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that was looked for in the tree of the newest checkpoint; `problem` is None when it is there."""

    index: int
    leaf: str
    size: int
    root: str
    path: tuple[str, ...]
    problem: str | None


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier checkpoint against the newest one; `problem` is None when the newer tree contains the older unchanged."""

    old_size: int | None
    new_size: int
    problem: str | None


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """The log as it is: entries that are committed, and the newest signed checkpoint over them."""

    size: int
    note: str | None
    signed_size: int | None
    root: str | None


def tree(ctx: Context) -> Tree:
    """Size and newest checkpoint of the log."""
    note = newest_note(ctx)
    head = read_checkpoint(note.encode()) if note else None
    return Tree(
        size=committed_head(ctx.session).size,
        note=note,
        signed_size=head.size if head else None,
        root=head.root.hex() if head else None,
    )


def check_entry(ctx: Context, case_id: uuid.UUID, index: int) -> Checked:
    """Proves an entry of a case against the newest checkpoint, and verifies that proof as a stranger would.

    Raises:
        NotFoundError: the case has no such entry, or no checkpoint covers it yet.
    """
    view, note = entry_of(ctx, case_id, index), newest_note(ctx)
    head = read_checkpoint(note.encode()) if note else None
    if view is None or note is None or head is None or index >= head.size:
        raise NotFoundError("the log has no such entry or no tree of that size")
    log, problem = ctx.get(AuditLog), None
    path: tuple[str, ...] = ()
    try:
        proof = log.prove_inclusion(ctx, index, head.size)
        path = proof.path
        verify_inclusion(encode_proof(proof), note, log.keys, entry=encode_entry(view.entry))
    except AuditVerificationError as error:
        problem = error.message
    return Checked(index=index, leaf=view.leaf, size=head.size, root=head.root.hex(), path=path, problem=problem)


def compare(ctx: Context, pasted: str) -> Compared:
    """Whether the log as it is now contains everything that an earlier checkpoint attests, unchanged."""
    log, note, text = ctx.get(AuditLog), newest_note(ctx), _note(pasted)
    new_size = read_checkpoint(note.encode()).size if note else 0
    if note is None:
        return Compared(old_size=None, new_size=0, problem="the log has no checkpoint yet")
    try:
        old = read_checkpoint(text.encode())
        if old.size > new_size:
            return Compared(old_size=old.size, new_size=new_size, problem="it attests more entries than the log has")
        proof = log.prove_consistency(ctx, old.size, new_size)
        verify_consistency(encode_proof(proof), text, note, log.keys)
    except (CryptoError, HandoverError) as error:
        return Compared(old_size=None, new_size=new_size, problem=error.message)
    return Compared(old_size=old.size, new_size=new_size, problem=None)


def _note(pasted: str) -> str:
    """The note as it was signed: a form may have changed its line ends, and lost the last one."""
    return pasted.replace("\r\n", "\n").strip() + "\n"
