"""Counts distinct digests: exactly up to a million, beyond that by adaptive sampling (Flajolet 1990) in bounded memory."""

from collections.abc import Iterable

#: Exact up to here: about 100 MB of Python objects.
EXACT_LIMIT = 1_000_000


class DistinctCounter:
    """Distinct 16-byte digests."""

    def __init__(self, limit: int = EXACT_LIMIT) -> None:
        self._limit = limit
        self._depth = 0
        self.seen: set[bytes] = set()

    def add(self, digest: bytes) -> None:
        self.update([digest])

    def update(self, digests: Iterable[bytes]) -> None:
        """Adds some thousands of digests at most, for they are held together for a moment."""
        self.seen.update(filter(self._sampled, digests) if self._depth else digests)
        while len(self.seen) > self._limit:
            self._depth += 1
            self.seen = {kept for kept in self.seen if self._sampled(kept)}

    def join(self, depth: int, digests: Iterable[bytes]) -> None:
        """Adds what another counter saw, which kept only digests of its depth."""
        if depth > self._depth:
            self._depth = depth
            self.seen = {kept for kept in self.seen if self._sampled(kept)}
        self.update(digests)

    @property
    def depth(self) -> int:
        """How many halvings the kept digests went through; 0 is none."""
        return self._depth

    def _sampled(self, digest: bytes) -> bool:
        return int.from_bytes(digest[:8], "big") >> (64 - self._depth) == 0

    @property
    def is_exact(self) -> bool:
        return self._depth == 0

    def count(self) -> int:
        """Exact, or an estimate with a standard error of about 1.2 / sqrt(limit)."""
        return len(self.seen) << self._depth
