"""The Merkle tree of RFC 6962 section 2.1 over SHA-256: roots, inclusion and consistency proofs.

Verifying raises `ProofError`; it follows the algorithms of RFC 9162 sections 2.1.3.2 and 2.1.4.2. Proofs are
made from a callable that gives leaf hashes, so that nothing needs the whole tree in memory.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from itertools import islice

from handover.crypto.errors import ProofError

#: `get_range(start, end)` gives the leaf hashes with indexes start … end-1, in order.
LeafRange = Callable[[int, int], Iterable[bytes]]

HASH_SIZE = 32
#: Leaves that are joined together.
_LEVEL = 1024
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf's bytes; the prefix keeps a leaf from passing for an inner node."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a tree: enough to append and to give the root, in O(log n) space."""

    __slots__ = ("_nodes", "_size")

    def __init__(self) -> None:
        self._size = 0
        self._nodes: list[bytes] = []  # roots of the perfect subtrees, largest first

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size

    def append(self, leaf: bytes) -> None:
        """Adds one leaf, given by its hash."""
        if len(leaf) != HASH_SIZE:
            raise ValueError("a leaf hash has 32 bytes")
        node, rest = leaf, self._size
        while rest & 1:  # every trailing one bit is a finished subtree of the same height: join
            node = node_hash(self._nodes.pop(), node)
            rest >>= 1
        self._nodes.append(node)
        self._size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Adds leaves in order, given by their hashes."""
        rest = iter(leaves)
        while level := list(islice(rest, _LEVEL)):
            self._extend(level)

    def _extend(self, level: list[bytes]) -> None:
        """Joins level by level, from the leaves upwards, what stands side by side."""
        if set(map(len, level)) != {HASH_SIZE}:
            raise ValueError("a leaf hash has 32 bytes")
        rest, single = self._size, []
        self._size += len(level)
        while level:
            if rest & 1:  # a finished subtree of this height stands in front
                level.insert(0, self._nodes.pop())
            if len(level) & 1:
                single.append(level.pop())
            level = [
                sha256(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=True)
            ]
            rest >>= 1
        self._nodes += reversed(single)

    def root(self) -> bytes:
        """Root hash of the tree so far."""
        if not self._nodes:
            return EMPTY_ROOT
        node = self._nodes[-1]
        for left in reversed(self._nodes[:-1]):
            node = node_hash(left, node)
        return node

    def to_bytes(self) -> bytes:
        """Eight bytes of size, big-endian, then the subtree roots, largest first."""
        return self._size.to_bytes(8, "big") + b"".join(self._nodes)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Frontier":
        """Inverse of `to_bytes`.

        Raises:
            ProofError: the length does not belong to the size.
        """
        frontier = cls()
        frontier._size = int.from_bytes(data[:8], "big")
        nodes = data[8:]
        if len(data) < 8 or len(nodes) != HASH_SIZE * frontier._size.bit_count():
            raise ProofError("the stored edge of the tree has the wrong length")
        frontier._nodes = [nodes[i : i + HASH_SIZE] for i in range(0, len(nodes), HASH_SIZE)]
        return frontier


def root(leaves: Iterable[bytes]) -> bytes:
    """Root of the tree over these leaf hashes; `EMPTY_ROOT` for none."""
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier.root()


def inclusion_proof(index: int, size: int, get_range: LeafRange) -> list[bytes]:
    """Audit path of leaf `index` in the tree of the first `size` leaves, from the leaf upwards."""
    if not 0 <= index < size:
        raise ProofError(f"there is no leaf {index} in a tree of {size}")
    return _path(index, 0, size, get_range)


def consistency_proof(old_size: int, new_size: int, get_range: LeafRange) -> list[bytes]:
    """Proof that the tree of `old_size` leaves is a prefix of the tree of `new_size`; empty for 0 or equal sizes."""
    if not 0 <= old_size <= new_size:
        raise ProofError(f"a tree of {old_size} is no prefix of a tree of {new_size}")
    if old_size in (0, new_size):
        return []
    return _subproof(old_size, 0, new_size, get_range, whole=True)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes) -> None:
    """Checks that the leaf with this hash is at `index` of the tree with `size` leaves and this root.

    Raises:
        ProofError: it is not proven.
    """
    if not 0 <= index < size:
        raise ProofError(f"there is no leaf {index} in a tree of {size}")
    node, position, last = leaf, index, size - 1
    for sibling in proof:
        if last == 0:
            raise ProofError(f"the inclusion proof of leaf {index} is too long")
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            while not position & 1 and position:  # a right edge: skip the levels without a sibling
                position >>= 1
                last >>= 1
        else:
            node = node_hash(node, sibling)
        position >>= 1
        last >>= 1
    if last != 0 or node != expected_root:
        raise ProofError(f"leaf {index} is not in the tree of {size} leaves with this root")


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Checks that the older tree is a prefix of the newer one.

    Raises:
        ProofError: it is not proven.
    """
    if not 0 <= old_size <= new_size:
        raise ProofError(f"a tree of {old_size} is no prefix of a tree of {new_size}")
    if old_size in (0, new_size):
        expected = new_root if old_size else EMPTY_ROOT
        if proof or old_root != expected:
            raise ProofError("two different roots are given for the same tree")
        return
    path = list(proof)
    if old_size & (old_size - 1) == 0:  # the old tree is itself a node of the new one
        path.insert(0, old_root)
    if not path:
        raise ProofError("the consistency proof is empty")
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position >>= 1
        last >>= 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("the consistency proof is too long")
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            new = node_hash(new, sibling)
        position >>= 1
        last >>= 1
    if last != 0 or old != old_root or new != new_root:
        raise ProofError(f"the tree of {old_size} leaves is not a prefix of the tree of {new_size}")


def _split(size: int) -> int:
    """Largest power of two smaller than `size` (RFC 6962's k)."""
    return 1 << ((size - 1).bit_length() - 1)


def _subtree(start: int, end: int, get_range: LeafRange) -> bytes:
    return root(get_range(start, end))


def _path(index: int, start: int, end: int, get_range: LeafRange) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(index, start, middle, get_range), _subtree(middle, end, get_range)]
    return [*_path(index, middle, end, get_range), _subtree(start, middle, get_range)]


def _subproof(old: int, start: int, end: int, get_range: LeafRange, *, whole: bool) -> list[bytes]:
    if old == end:
        return [] if whole else [_subtree(start, end, get_range)]
    middle = start + _split(end - start)
    if old <= middle:
        return [*_subproof(old, start, middle, get_range, whole=whole), _subtree(middle, end, get_range)]
    return [*_subproof(old, middle, end, get_range, whole=False), _subtree(start, middle, get_range)]
