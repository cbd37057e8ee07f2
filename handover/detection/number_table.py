"""Numbers known from columns as 64-bit hashes in the kernel: eight bytes each, where a dictionary of strings takes 150."""

from threading import Lock
from typing import NamedTuple

import numpy as np

from handover.kernel import Kernel

#: In the kernel's order; a telephone's first.
KINDS = ("phone", "resident_id", "bank_card")
#: Twice as many slots as numbers, a power of two.
_SPARE = 2


class Hashes(NamedTuple):
    """Of numbers of one block."""

    hashes: bytes
    #: How long the numbers are, a bit for each length.
    lengths: int


class NumberTable:
    """A set of at most `most` numbers with their kinds. Two numbers share a hash once in some 10^9 files."""

    def __init__(self, most: int) -> None:
        self._kernel = Kernel()
        self._most = most
        self._size = 1 << (_SPARE * most - 1).bit_length()
        self._slots = self._kernel.reserve(8 * self._size)
        self._kernel.call("number_table", self._slots, self._size, 0)
        self.count = 0
        self._lock = Lock()

    def add(self, lines: bytes, kind: str) -> None:
        """Adds numbers, each with LF behind it; what is no number of seven digits or more is passed over."""
        with self._lock:
            mark = self._kernel.mark
            room = self._most - self.count
            self.count += self._kernel.call("add_numbers", self._kernel.put(lines), len(lines), KINDS.index(kind), room)
            self._kernel.mark = mark

    def add_hashes(self, hashes: Hashes) -> None:
        """Adds numbers of a block."""
        with self._lock:
            mark = self._kernel.mark
            count, room = len(hashes.hashes) // 8, self._most - self.count
            self.count += self._kernel.call("add_hashes", self._kernel.put(hashes.hashes), count, hashes.lengths, room)
            self._kernel.mark = mark

    def kinds_of(self, numbers: list[str]) -> list[str | None]:
        """The kind of each number in digits; None when it is not known."""
        lines = "".join(f"{number}\n" for number in numbers).encode()
        with self._lock:
            mark = self._kernel.mark
            out = self._kernel.reserve(len(numbers))
            self._kernel.call("known_numbers", self._kernel.put(lines), len(lines), out)
            found = self._kernel.view(out, len(numbers), np.uint8).tolist()
            self._kernel.mark = mark
        return [KINDS[kind - 1] if kind else None for kind in found]

    def lengths(self) -> int:
        """How long the numbers are, a bit for each length."""
        with self._lock:
            return self._kernel.call("lengths_of_numbers")

    def slots(self) -> np.ndarray:
        """The table itself, for another instance of the kernel."""
        return self._kernel.view(self._slots, self._size, np.uint64)
