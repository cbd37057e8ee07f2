"""Inclusion and consistency proofs as files, canonical JSON, each verified against signed checkpoints.

A proof says nothing by itself: what it proves, it proves about the tree whose checkpoint it is verified against.
"""

import re
from collections.abc import Sequence
from typing import Literal, TypeVar

import msgspec

from handover.audit.errors import AuditVerificationError
from handover.crypto import canonical, merkle
from handover.crypto.checkpoint import Checkpoint, verify_checkpoint
from handover.crypto.errors import CanonicalError, CryptoError, ProofError
from handover.crypto.note import NoteKey

_HASH = re.compile(r"[0-9a-f]{64}")


class InclusionProof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That the leaf with hash `leaf` is at `index` of the tree of `size` leaves; `path` from the leaf upwards, in hex."""

    format: Literal["handover-audit-inclusion"] = "handover-audit-inclusion"
    version: Literal[1] = 1
    origin: str
    index: int
    size: int
    leaf: str
    path: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_hashes((self.leaf, *self.path))


class ConsistencyProof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That the tree of `old_size` leaves is a prefix of the tree of `new_size`."""

    format: Literal["handover-audit-consistency"] = "handover-audit-consistency"
    version: Literal[1] = 1
    origin: str
    old_size: int
    new_size: int
    path: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_hashes(self.path)


_Proof = TypeVar("_Proof", InclusionProof, ConsistencyProof)


def encode_proof(proof: InclusionProof | ConsistencyProof) -> bytes:
    """The file's bytes: canonical JSON and a newline."""
    return canonical.encode(proof) + b"\n"


def verify_inclusion(
    data: bytes, checkpoint: str, keys: Sequence[NoteKey], *, entry: bytes | None = None
) -> InclusionProof:
    """The proof, once it holds for the tree that `checkpoint` attests; `entry` demands that the leaf has these bytes.

    Raises:
        AuditVerificationError: proof or checkpoint does not hold, or the two are not about the same tree.
    """
    proof = _decode(data, InclusionProof)
    head = _checkpoint(checkpoint, keys)
    if (proof.origin, proof.size) != (head.origin, head.size):
        raise AuditVerificationError("the proof and the checkpoint are about different trees", "proof_invalid")
    if entry is not None and merkle.leaf_hash(entry).hex() != proof.leaf:
        raise AuditVerificationError(
            f"the entry is not the one that the proof places at {proof.index}",
            "proof_invalid",
            proof.index,
            proof.index,
        )
    try:
        merkle.verify_inclusion(bytes.fromhex(proof.leaf), proof.index, head.size, _raw(proof.path), head.root)
    except ProofError as error:
        raise AuditVerificationError(str(error), "proof_invalid", proof.index, proof.index) from error
    return proof


def verify_consistency(data: bytes, old: str, new: str, keys: Sequence[NoteKey]) -> ConsistencyProof:
    """The proof, once it holds between the two checkpoints.

    Raises:
        AuditVerificationError: the newer tree does not contain the older one unchanged, or something is malformed.
    """
    proof = _decode(data, ConsistencyProof)
    before, after = _checkpoint(old, keys), _checkpoint(new, keys)
    expected = (before.origin, before.size, after.size)
    if before.origin != after.origin or (proof.origin, proof.old_size, proof.new_size) != expected:
        raise AuditVerificationError("the proof and the checkpoints are about different trees", "proof_invalid")
    try:
        merkle.verify_consistency(before.size, before.root, after.size, after.root, _raw(proof.path))
    except ProofError as error:
        raise AuditVerificationError(str(error), "proof_invalid", 0, max(before.size - 1, 0)) from error
    return proof


def _decode(data: bytes, form: type[_Proof]) -> _Proof:
    if not data.endswith(b"\n"):
        raise AuditVerificationError("the proof does not end in a newline", "proof_malformed")
    try:
        return canonical.decode_strict(data[:-1], form)
    except CanonicalError as error:
        raise AuditVerificationError(f"the proof is malformed: {error}", "proof_malformed") from error


def _checkpoint(note: str, keys: Sequence[NoteKey]) -> Checkpoint:
    try:
        return verify_checkpoint(note.encode(), keys)
    except (CryptoError, UnicodeEncodeError) as error:
        raise AuditVerificationError(f"the checkpoint does not hold: {error}", "checkpoint_not_signed") from error


def _raw(path: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(node) for node in path]


def _check_hashes(values: Sequence[str]) -> None:
    if any(_HASH.fullmatch(value) is None for value in values):
        raise ValueError("a hash has 64 lower-case hex digits")
