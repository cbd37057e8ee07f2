"""Builds a package: manifest, signatures, ZIP and encryption in one pass over the content, at constant memory.

Everything about a file is known before its first byte, so the manifest comes first and all offsets are fixed. A build
that was killed starts over with a new file key; the key is never stored.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO

import msgspec
from isal.isal_zlib import crc32

from handover.archive import names
from handover.archive.errors import ArchiveError, FileAlteredError
from handover.archive.head import Facts, Head, SealResult, SigningKeys
from handover.archive.listing import Totals
from handover.archive.manifest import FileLine, encode_lines, salts
from handover.archive.package import FILES, Package, Progress
from handover.archive.zipformat import DEFLATED, STORED, Member, stored
from handover.archive.zipwriter import ZipWriter, archive_size
from handover.crypto.age import Writer, ciphertext_size
from handover.crypto.age.stream import ByteSink


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One file to pack: facts that were determined when it was stored, and where its bytes come from.

    `content()` gives chunks of the file, or of its raw deflate stream when `deflated_size` is set. It is called once.
    """

    path: str
    size: int
    sha256: str
    crc32: int
    content: Callable[[], Iterable[bytes]]
    media_type: str
    level: str = ""
    records: int = 0
    redaction: str = ""
    deflated_size: int | None = None

    @property
    def member(self) -> Member:
        """Its record in the archive."""
        if self.deflated_size is None:
            return Member(self.path, self.crc32, self.size, self.size, STORED)
        return Member(self.path, self.crc32, self.size, self.deflated_size, DEFLATED)

    def line(self, salt: str) -> FileLine:
        """Its line in FILES.jsonl."""
        return FileLine(
            path=self.path,
            size=self.size,
            sha256=self.sha256,
            media_type=self.media_type,
            level=self.level,
            records=self.records,
            redaction=self.redaction,
            salt=salt,
        )


class Sealed:
    """A package that was written, with its file key until `verify_written` has used it."""

    def __init__(self, result: SealResult, file_key: bytes, entries: Sequence[tuple[Member, int]]) -> None:
        self.result = result
        self._file_key: bytes | None = file_key
        #: The record of each file, and the CRC-32 of what was put behind it.
        self._entries = entries

    def verify_written(self, source: BinaryIO, progress: Progress | None = None) -> None:
        """Opens all that was really written and compares it with what was given; afterwards the file key is dropped.

        Compressed content is compared as it is, not unpacked: that it unpacks to its digest was determined when it was
        taken in, and the vault gives out nothing else.

        Raises:
            ArchiveError, CryptoError: the file is not what was built; discard it.
        """
        if self._file_key is None:
            raise ArchiveError("the file key of this package is gone: it can be verified once")
        written = Package(source, file_key=self._file_key)
        if written.manifest_bytes != self.result.manifest or written.header.sha256 != self.result.header_sha256:
            raise ArchiveError("the written file holds another package than the one that was built")
        if tuple(stanza.type for stanza in written.header.stanzas) != self.result.stanza_kinds:
            raise ArchiveError("the written file has other recipients than the ones it was built for")
        written.verify_head()
        done, total = 0, sum(member.compressed_size for member, _ in self._entries)
        for file, (member, given) in zip(written.files, self._entries, strict=True):
            checksum = 0
            for block in written.read_raw(file):
                checksum = crc32(block, checksum)
                done += len(block)
                if progress:
                    progress(done, total)
            if file.member != member or checksum != given:
                raise FileAlteredError(member.path, "it was written in another form than it was given")
        self._file_key = None


class Plan:
    """A package before it is written: its manifest is final, its size known."""

    def __init__(
        self,
        entries: Sequence[Entry],
        *,
        recipients: Sequence[str],
        facts: Facts,
        keys: SigningKeys | None = None,
    ) -> None:
        self._head = Head(recipients, facts, keys)
        self._entries = entries
        self._recipients = list(recipients)
        _check_paths(entries)
        lines = list(map(Entry.line, entries, salts()))
        files_jsonl = encode_lines(lines)
        totals = Totals()
        totals.add(lines, files_jsonl)
        self.manifest = self._head.manifest(totals.head(facts.persons))
        front = self._head.files(self.manifest.encode(), stored(FILES, files_jsonl))
        self._front = [(member, files_jsonl if data is None else data) for member, data in front]
        members = [*(member for member, _ in self._front), *(entry.member for entry in entries)]
        self.plain_size = archive_size(members)

    def ciphertext_size(self, header_size: int) -> int:
        """Size of the finished file."""
        return ciphertext_size(self.plain_size, header_size)

    def write(self, sink: ByteSink, progress: Progress | None = None) -> Sealed:
        """Writes the package.

        Raises:
            KeyFormatError: recipients of different kinds.
            SourceChangedError: the content is not what its entry says.
        """
        writer = Writer(sink, self._recipients, hashed=True)
        kinds = tuple(stanza.type for stanza in writer.header.stanzas)
        if kinds != self._head.kinds:
            raise ArchiveError(f"the header names {kinds}, not the recipients {self._head.kinds}")
        archive = ZipWriter(writer)
        for member, data in self._front:
            archive.add(member, [data])
        done, written = 0, []
        for entry in self._entries:
            chunks = _watched(entry.content(), done, self.manifest.files.size, progress)
            written.append((entry.member, archive.add(entry.member, chunks)))
            done += entry.size
        archive.close()
        writer.close()
        if archive.size != self.plain_size or writer.size != self.ciphertext_size(writer.header_size):
            raise ArchiveError("the package has another size than planned")
        result = self._head.result(
            self.manifest,
            header_sha256=writer.header_sha256,
            size=writer.size,
            ciphertext_sha256=writer.ciphertext_sha256,
        )
        return Sealed(result, writer.file_key, written)


def seal(
    entries: Sequence[Entry],
    *,
    recipients: Sequence[str],
    facts: Facts,
    sink: ByteSink,
    keys: SigningKeys | None = None,
    progress: Progress | None = None,
) -> Sealed:
    """Plans and writes a package; call `verify_written` on what was stored before telling anyone of it."""
    return Plan(entries, recipients=recipients, facts=facts, keys=keys).write(sink, progress)


def _check_paths(entries: Sequence[Entry]) -> None:
    taken = names.UniquePaths()
    for entry in entries:
        names.check_path(entry.path)
        taken.add(entry.path)


def _watched(chunks: Iterable[bytes], done: int, total: int, progress: Progress | None) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk
        done = min(done + len(chunk), total)
        if progress:
            progress(done, total)
