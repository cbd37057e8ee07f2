"""The ASCII armor of age files: strict PEM (RFC 7468, figure 3); only whitespace may stand around it."""

import base64
import binascii

from handover.crypto.age.stream import ByteSource
from handover.crypto.errors import ArmorError

BEGIN = b"-----BEGIN AGE ENCRYPTED FILE-----"
END = b"-----END AGE ENCRYPTED FILE-----"
_COLUMNS = 64
_LINE_BYTES = 48
_BLOCK = 64 * 1024
#: A line of armor has 64 columns; whitespace around the block is bounded by the same buffer.
_MAX_LINE = 1024


def encode(data: bytes) -> bytes:
    """The armored form of a whole age file."""
    text = base64.b64encode(data)
    lines = [text[i : i + _COLUMNS] for i in range(0, len(text), _COLUMNS)]
    return b"\n".join([BEGIN, *lines, END, b""])


class ArmorReader:
    """Decodes armor from a source as it is read.

    Raises:
        ArmorError: from `read`, at the first deviation.
    """

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._buffer = b""
        self._decoded = b""
        self._state = "before"

    def read(self, size: int, /) -> bytes:
        """Decoded bytes, none at the end."""
        while not self._decoded and self._state != "done":
            self._step()
        part, self._decoded = self._decoded[:size], self._decoded[size:]
        return part

    def _step(self) -> None:
        line = self._line()
        if self._state == "before":
            self._begin(line)
        elif line == END:
            self._finish()
        else:
            self._decoded = self._decode(line)

    def _begin(self, line: bytes | None) -> None:
        if line is None or (line.strip() and line != BEGIN):
            raise ArmorError("the armor does not begin with its BEGIN line")
        if line == BEGIN:
            self._state = "body"

    def _decode(self, line: bytes | None) -> bytes:
        if line is None:
            raise ArmorError("the armor is cut short: it has no END line")
        if self._state == "last":
            raise ArmorError("the armor has a line after a short line")
        try:
            data = base64.b64decode(line, validate=True)
        except (ValueError, binascii.Error) as error:
            raise ArmorError("a line of the armor is not base64") from error
        if not data or len(line) > _COLUMNS or base64.b64encode(data) != line:
            raise ArmorError("a line of the armor is empty, too long or not canonical")
        if len(data) < _LINE_BYTES:
            self._state = "last"
        return data

    def _finish(self) -> None:
        rest = self._buffer
        while True:
            if rest.strip():
                raise ArmorError("something follows the armor")
            block = self._source.read(_BLOCK)
            if not block:
                break
            rest = block
        self._state = "done"

    def _line(self) -> bytes | None:
        """Next line without LF or CRLF; None at the end of the source."""
        while b"\n" not in self._buffer:
            if len(self._buffer) > _MAX_LINE:
                raise ArmorError("a line of the armor is too long")
            block = self._source.read(_BLOCK)
            if not block:
                line, self._buffer = self._buffer, b""
                return line or None
            self._buffer += block
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.removesuffix(b"\r")
