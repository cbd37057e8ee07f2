"""A byte source with lines and exact reads, for parsing a header and then taking what follows it."""

from handover.crypto.age import armor
from handover.crypto.age.stream import ByteSource

_BLOCK = 64 * 1024


class BufferedSource:
    """Reads lines and exact amounts from anything with `read(n)`."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._buffer = bytearray()

    def read_line(self, limit: int) -> bytes:
        """The next line with its newline; without one at the end of the source or at `limit`."""
        while True:
            end = self._buffer.find(b"\n", 0, limit) + 1
            if end or len(self._buffer) >= limit or not self._fill():
                return self._take(end or min(limit, len(self._buffer)))

    def read(self, size: int, /) -> bytes:
        """Exactly `size` bytes, fewer only at the end of the source."""
        if self._buffer:
            while len(self._buffer) < size and self._fill():
                pass
            return self._take(min(size, len(self._buffer)))
        first = self._source.read(size) or b""
        if len(first) == size or not first:
            return first
        parts, missing = [first], size - len(first)
        while missing and (part := self._source.read(missing)):
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def read_into(self, target: memoryview) -> int:
        """Fills `target`; returns how much there was, less only at the end of the source."""
        done = min(len(self._buffer), len(target))
        target[:done] = self._take(done)
        readinto = getattr(self._source, "readinto", None)
        while done < len(target):
            if readinto is not None:
                size = readinto(target[done:]) or 0
            else:
                block = self._source.read(len(target) - done) or b""
                size = len(block)
                target[done : done + size] = block
            if not size:
                break
            done += size
        return done

    def looks_armored(self) -> bool:
        """Whether the source begins, after whitespace, like PEM; nothing is consumed."""
        while len(self._buffer.lstrip()) < len(armor.BEGIN) and len(self._buffer) < _BLOCK and self._fill():
            pass
        return self._buffer.lstrip().startswith(b"-----BEGIN")

    def _fill(self) -> bool:
        block = self._source.read(_BLOCK)
        self._buffer += block or b""
        return bool(block)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken
