"""Proofs against a naive tree written from RFC 6962 alone, and the refusal of proofs about anything else."""

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handover.audit import AuditVerificationError
from handover.audit.proofs import (
    ConsistencyProof,
    InclusionProof,
    encode_proof,
    verify_consistency,
    verify_inclusion,
)
from handover.audit.tree import AttestedTree, Head
from handover.crypto import merkle
from tests.audit.logs import FORGER, HONEST, ORIGIN, Log

LOG = Log.honest(24, ())
KEYS = HONEST.public


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, by the letter."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH(m, D[n]) of RFC 6962 section 2.1.1, by the letter."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def leaf_range(start: int, end: int) -> list[bytes]:
    return LOG.leaves[start:end]


def inclusion(index: int, size: int) -> InclusionProof:
    path = merkle.inclusion_proof(index, size, leaf_range)
    return InclusionProof(origin=ORIGIN, index=index, size=size, leaf=LOG.leaves[index].hex(), path=_hex(path))


def consistency(old: int, new: int) -> ConsistencyProof:
    path = merkle.consistency_proof(old, new, leaf_range)
    return ConsistencyProof(origin=ORIGIN, old_size=old, new_size=new, path=_hex(path))


def _hex(path: list[bytes]) -> tuple[str, ...]:
    return tuple(node.hex() for node in path)


sizes = st.integers(1, 24)


@settings(max_examples=60, deadline=None)
@given(sizes, st.data())
def test_inclusion_proofs_equal_the_naive_ones_and_verify(size, data):
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion(index, size)
    assert proof.path == _hex(naive_path(index, LOG.entries[:size]))
    note = LOG.checkpoint(size)
    assert naive_root(LOG.entries[:size]) == merkle.root(LOG.leaves[:size])
    verify_inclusion(encode_proof(proof), note, KEYS, entry=LOG.entries[index])
    wrong = data.draw(st.integers(0, size - 1).filter(lambda other: other != index)) if size > 1 else None
    if wrong is not None:
        with pytest.raises(AuditVerificationError):
            verify_inclusion(encode_proof(proof), note, KEYS, entry=LOG.entries[wrong])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 24), st.data())
def test_consistency_proofs_verify_and_no_other_history_does(old, data):
    new = data.draw(st.integers(old, 24))
    proof = encode_proof(consistency(old, new))
    verify_consistency(proof, LOG.checkpoint(old), LOG.checkpoint(new), KEYS)
    if old:
        altered = replace(LOG, leaves=[b"\0" * 32, *LOG.leaves[1:]])
        with pytest.raises(AuditVerificationError):
            verify_consistency(proof, altered.checkpoint(old), LOG.checkpoint(new), KEYS)


def test_a_proof_is_held_against_the_checkpoint_of_its_own_tree_and_keys():
    proof = encode_proof(inclusion(3, 20))
    for note in (LOG.checkpoint(21), replace(LOG, keys=FORGER).checkpoint(20), "no note"):
        with pytest.raises(AuditVerificationError):
            verify_inclusion(proof, note, KEYS)
    with pytest.raises(AuditVerificationError):
        verify_consistency(encode_proof(consistency(8, 20)), LOG.checkpoint(8), LOG.checkpoint(21), KEYS)
    with pytest.raises(AuditVerificationError):
        verify_inclusion(proof, LOG.checkpoint(20), ())


@given(st.integers(0, 24), st.sets(st.integers(0, 24)), st.integers(0, 23))
def test_an_altered_leaf_is_located_between_the_two_heads_around_it(count, heads, altered):
    tree = AttestedTree([Head(size, merkle.root(LOG.leaves[:size]), str(size)) for size in heads if size <= count])
    attesting = [size for size in heads if altered < size <= count]

    def rebuild() -> None:
        for position in range(count):
            tree.append(b"\0" * 32 if position == altered else LOG.leaves[position])
        tree.finish()

    if not attesting:
        rebuild()
        return
    with pytest.raises(AuditVerificationError) as caught:
        rebuild()
    below = max((size for size in heads if size <= altered), default=0)
    assert (caught.value.first, caught.value.last) == (below, min(attesting) - 1)
