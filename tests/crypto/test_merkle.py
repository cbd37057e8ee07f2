"""The tree agrees with RFC 6962's own recursive definition; proofs hold, and nothing else does."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handover.crypto import merkle
from handover.crypto.errors import ProofError
from handover.crypto.merkle import Frontier

LEAVES = [merkle.leaf_hash(bytes([i])) for i in range(70)]
SIZES = st.integers(0, len(LEAVES))


def _range(start: int, end: int) -> list[bytes]:
    return LEAVES[start:end]


def _definition(leaves: list[bytes]) -> bytes:
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + _definition(leaves[:split]) + _definition(leaves[split:])).digest()


ROOTS = [_definition(LEAVES[:size]) for size in range(len(LEAVES) + 1)]


def test_known_answer_of_the_certificate_transparency_tests() -> None:
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    root = merkle.root(merkle.leaf_hash(bytes.fromhex(text)) for text in inputs)
    assert root.hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_root_follows_the_definition_at_every_size_and_survives_storage() -> None:
    frontier = Frontier()
    assert frontier.root() == ROOTS[0]
    for size, leaf in enumerate(LEAVES, start=1):
        frontier.append(leaf)
        frontier = Frontier.from_bytes(frontier.to_bytes())
        assert (frontier.size, frontier.root()) == (size, ROOTS[size])


@pytest.mark.parametrize("data", [b"", b"\0" * 7, (1).to_bytes(8, "big"), (2).to_bytes(8, "big") + bytes(64)])
def test_a_stored_edge_of_the_wrong_length_is_refused(data: bytes) -> None:
    with pytest.raises(ProofError):
        Frontier.from_bytes(data)


@given(SIZES.filter(bool), st.data())
def test_inclusion_is_proven_for_its_leaf_place_and_tree_only(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(index, size, _range)
    merkle.verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])
    other = data.draw(st.integers(0, len(LEAVES) - 1).filter(lambda i: i != index))
    wrong = [
        (LEAVES[other], index, size, proof, ROOTS[size]),
        (LEAVES[index], other, size, proof, ROOTS[size]),
        (LEAVES[index], index, size, [*proof, bytes(32)], ROOTS[size]),
        (LEAVES[index], index, size, proof, bytes(32)),
        (LEAVES[index], size, size, proof, ROOTS[size]),
    ]
    if proof:
        wrong.append((LEAVES[index], index, size, proof[:-1], ROOTS[size]))
        wrong.append((LEAVES[index], index, size, [bytes(32), *proof[1:]], ROOTS[size]))
    for leaf, place, count, path, root in wrong:
        with pytest.raises(ProofError):
            merkle.verify_inclusion(leaf, place, count, path, root)


@given(SIZES, SIZES)
def test_consistency_is_proven_for_prefixes_only(first: int, second: int) -> None:
    old, new = sorted((first, second))
    proof = merkle.consistency_proof(old, new, _range)
    merkle.verify_consistency(old, ROOTS[old], new, ROOTS[new], proof)
    wrong = [
        (old, bytes(32), new, ROOTS[new], proof),
        (old, ROOTS[old], new, ROOTS[new], [*proof, bytes(32)]),
        (new + 1, ROOTS[old], new, ROOTS[new], proof),
    ]
    if old:  # the empty tree is a prefix of everything, whatever its root
        wrong.append((old, ROOTS[old], new, bytes(32), proof))
    if proof:
        wrong.append((old, ROOTS[old], new, ROOTS[new], proof[:-1]))
        wrong.append((old, ROOTS[old], new, ROOTS[new], [bytes(32), *proof[1:]]))
    for arguments in wrong:
        with pytest.raises(ProofError):
            merkle.verify_consistency(*arguments)


def test_a_rewritten_leaf_has_no_consistency_with_the_older_tree() -> None:
    rewritten = [*LEAVES[:3], merkle.leaf_hash(b"other"), *LEAVES[4:]]
    proof = merkle.consistency_proof(10, 50, lambda start, end: rewritten[start:end])
    with pytest.raises(ProofError):
        merkle.verify_consistency(10, ROOTS[10], 50, _definition(rewritten[:50]), proof)


@given(st.lists(st.integers(0, 9)), SIZES)
def test_leaves_added_together_make_the_tree_of_leaves_added_one_by_one(parts: list[int], first: int) -> None:
    one_by_one, together = Frontier(), Frontier()
    for count in (first, *parts):
        leaves = LEAVES[:count]
        for leaf in leaves:
            one_by_one.append(leaf)
        together.extend(leaves)
        assert together.to_bytes() == one_by_one.to_bytes()
    with pytest.raises(ValueError, match="32 bytes"):
        together.extend([LEAVES[0], b"short"])
