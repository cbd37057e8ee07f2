"""Writes a ZIP as a stream: sizes and checksums come first, and what arrives must match them."""

from collections.abc import Iterable

from isal.isal_zlib import crc32

from handover.archive.errors import SourceChangedError
from handover.archive.zipformat import STORED, Member, central_size, directory, end_records, local_header
from handover.crypto.age.stream import ByteSink


class ZipWriter:
    """Entries go to `sink` in the order given; `close` writes the directory and leaves the sink open."""

    def __init__(self, sink: ByteSink) -> None:
        self._sink = sink
        self._entries: list[Member] = []
        #: Bytes written so far.
        self.size = 0

    def add(self, member: Member, chunks: Iterable[bytes]) -> int:
        """Writes one entry whose chunks are already in the form that `member.method` says; returns their CRC-32.

        Raises:
            SourceChangedError: the chunks do not match size or checksum; the archive is then of no use.
        """
        self._entries.append(member)
        self._write(local_header(member))
        written = checksum = 0
        for chunk in chunks:
            written += len(chunk)
            checksum = crc32(chunk, checksum)
            if written > member.compressed_size:
                break
            self._write(chunk)
        if written != member.compressed_size or (member.method == STORED and checksum != member.crc32):
            raise SourceChangedError(f"{member.path}: its content changed while the package was being built")
        return checksum

    def close(self) -> None:
        """Writes directory and end."""
        for record in directory(self._entries):
            self._write(record)

    def _write(self, data: bytes) -> None:
        self._sink.write(data)
        self.size += len(data)


def archive_size(members: Iterable[Member]) -> int:
    """Size of the archive of these entries, before anything is written."""
    offset = directory_size = count = 0
    for member in members:
        directory_size += central_size(member, offset)
        offset += member.total_size
        count += 1
    return offset + directory_size + len(end_records(count, directory_size, offset))
