"""A blob as a seekable file: ranges are asked for as they are needed, and ahead of who reads on."""

import io
from collections import deque
from concurrent.futures import Executor, Future

from handover.storage.s3.bucket import Bucket, Found

#: The first range of a blob and after each jump; who reads on gets ranges of four times the size, up to the largest.
FIRST_BYTES = 256 << 10
MOST_BYTES = 4 << 20
#: Ranges under way ahead of the one that is read.
_AHEAD = 2


class RangeReader(io.RawIOBase):
    """Reads one object, from the moment it was opened on the same one."""

    def __init__(self, bucket: Bucket, name: str, pool: Executor) -> None:
        """Raises BlobMissingError."""
        super().__init__()
        self._bucket, self._name, self._pool = bucket, name, pool
        self._block, self._found = bucket.read(name, 0, FIRST_BYTES)
        #: Where the block begins, where the reader is, and from where on nothing is asked for yet.
        self._begin, self._position, self._asked = 0, 0, len(self._block)
        self._step = FIRST_BYTES
        self._ahead: deque[Future[tuple[bytes, Found]]] = deque()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._found.size}[whence]
        if base + offset < 0:
            raise ValueError("negative seek position")
        self._position = base + offset
        return self._position

    def readinto(self, target: object) -> int:
        view = memoryview(target).cast("B")  # type: ignore[arg-type]  # a buffer, says RawIOBase
        if self._position >= self._found.size or not view:
            return 0
        if not self._begin <= self._position < self._begin + len(self._block):
            self._fetch()
        at = self._position - self._begin
        part = memoryview(self._block)[at : at + len(view)]
        view[: len(part)] = part
        self._position += len(part)
        return len(part)

    def close(self) -> None:
        self._drop()
        super().close()

    def _fetch(self) -> None:
        if self._position != self._begin + len(self._block):
            self._drop()
            self._step, self._asked = FIRST_BYTES, self._position
            self._ask()
        else:
            while len(self._ahead) <= _AHEAD and self._asked < self._found.size:
                self._step = min(4 * self._step, MOST_BYTES)
                self._ask()
        self._block, _ = self._ahead.popleft().result()
        self._begin = self._position

    def _ask(self) -> None:
        length = min(self._step, self._found.size - self._asked)
        wanted = (self._name, self._asked, length, self._found.etag)
        self._ahead.append(self._pool.submit(self._bucket.read, *wanted))
        self._asked += length

    def _drop(self) -> None:
        while self._ahead:
            self._ahead.popleft().cancel()
