"""Rebuilds the tree leaf by leaf and compares it with every attested head on the way.

What differs is located as far as the heads allow: between the last size at which a root agreed and the first at which
one does not. Heads are taken as given; whoever makes them has verified their signatures.
"""

from collections.abc import Iterable

import msgspec

from handover.audit.errors import AuditVerificationError
from handover.crypto.merkle import Frontier


class Head(msgspec.Struct, frozen=True):
    """The root that the tree had at a size, and who says so."""

    size: int
    root: bytes
    source: str


class AttestedTree:
    """A tree under comparison."""

    def __init__(self, heads: Iterable[Head]) -> None:
        self._heads: dict[int, list[Head]] = {}
        for head in heads:
            self._heads.setdefault(head.size, []).append(head)
        self._frontier = Frontier()
        #: The largest size so far at which an attested root agreed.
        self.attested = 0
        self._compare()

    @property
    def size(self) -> int:
        return self._frontier.size

    def root(self) -> bytes:
        return self._frontier.root()

    def edge(self) -> bytes:
        return self._frontier.to_bytes()

    def append(self, leaf: bytes) -> None:
        """Adds a leaf by its hash.

        Raises:
            AuditVerificationError: a head of the new size has another root; names the interval.
        """
        self._frontier.append(leaf)
        if self._frontier.size in self._heads:
            self._compare()

    def finish(self) -> None:
        """Called after the last leaf.

        Raises:
            AuditVerificationError: a head attests more entries than there are.
        """
        largest = max(self._heads, default=0)
        if largest > self.size:
            source = self._heads[largest][0].source
            raise AuditVerificationError(
                f"{self.size} entries are there, but {source} attests {largest}: "
                f"{span(self.attested, largest - 1)} cut off or taken out",
                "entries_missing",
                self.attested,
                largest - 1,
            )

    def _compare(self) -> None:
        root = self.root()
        for head in self._heads.get(self.size, ()):
            if head.root != root:
                first, last = min(self.attested, max(self.size - 1, 0)), max(self.size - 1, 0)
                raise AuditVerificationError(
                    f"the first {self.size} entries are not those that {head.source} attests: {span(first, last)} "
                    "altered, moved, inserted or taken out",
                    "entries_differ",
                    first,
                    last,
                )
            self.attested = self.size


def span(first: int, last: int) -> str:
    """`entry 7 was` or `entries 7 to 9 were`, as the beginning of what is wrong."""
    return f"entry {first} was" if first == last else f"one or more of entries {first} to {last} were"
