"""Packages over files and folders on a disk, without a case: what `handover package seal` makes.

Nothing is classified, counted or checked against a workflow; the manifest says so by its purpose. Each file is read
once: its content is placed first, and the head, whose size follows from paths and sizes, last.
"""

from array import array
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import chain, repeat, takewhile
from pathlib import Path

from isal.isal_zlib import crc32

from handover import __version__
from handover.archive.errors import ArchiveError, TargetExistsError
from handover.archive.head import Facts, Head, SealResult, SigningKeys
from handover.archive.listing import Totals
from handover.archive.manifest import FileLine, PackageHead, encode_lines, salts
from handover.archive.package import FILES, Progress
from handover.archive.packing import pack
from handover.archive.sources import Sources, sources_below
from handover.archive.zipformat import Member, directory, local_header
from handover.archive.zipwriter import archive_size
from handover.crypto.age.files import whole_file
from handover.crypto.age.placed import PlacedWriter

PURPOSE = "standalone"
#: Lines encoded together.
_LINES = 256


def seal_paths(
    paths: Sequence[Path],
    recipients: Sequence[str],
    out: Path,
    *,
    keys: SigningKeys | None = None,
    number: str | None = None,
    progress: Progress | None = None,
) -> SealResult:
    """Seals files and folders to `out`, which appears when every chunk of it was read back and opened.

    Raises:
        TargetExistsError: `out` exists.
        SourceChangedError: a path is a link or a device, is missing, or changed while it was read.
        KeyFormatError: a recipient is malformed, or kinds are mixed.
    """
    if out.exists():
        raise TargetExistsError(f"{out}: exists already; name another file")
    facts = Facts(
        package=PackageHead(
            number=number or out.stem,
            purpose=PURPOSE,
            case="",
            built_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            software=f"handover {__version__}",
        )
    )
    sources = Sources(sources_below(paths))
    with whole_file(out, 0o666) as sink:
        return _write(sink.fileno(), sources, Head(recipients, facts, keys), recipients, progress)


def _write(
    target: int, sources: Sources, head: Head, recipients: Sequence[str], progress: Progress | None
) -> SealResult:
    front = head.blank(len(sources), sources.size, sources.list_size)
    front_size = sum(member.total_size for member in front)
    plain_size = archive_size(chain(front, sources.members(repeat(0))))
    with PlacedWriter(target, recipients, plain_size) as writer:
        if tuple(stanza.type for stanza in writer.header.stanzas) != head.kinds:
            raise ArchiveError(f"the header does not name the recipients {head.kinds}; nothing was written")
        listing = _List(writer, front)
        checksums = _pack_all(writer, sources, front_size, listing, progress or _nobody)
        manifest = head.manifest(listing.totals.head())
        entries = head.files(manifest.encode(), listing.member())
        members = chain((member for member, _ in entries), sources.members(checksums))
        for block in directory(members):
            writer.write(block)
        writer.position = 0
        for member, data in entries:
            writer.write(local_header(member))
            if data is None:
                writer.position += member.size
            else:
                writer.write(data)
    return head.result(manifest, header_sha256=writer.header.sha256, size=writer.size)


def _pack_all(
    writer: PlacedWriter, sources: Sources, position: int, listing: "_List", progress: Progress
) -> "array[int]":
    """Writes the content from `position` on, and the list of it; returns its checksums, the writer behind the last."""
    checksums, salt, done = array("I"), salts(), 0

    def packed(size: int) -> None:
        progress(done + size, sources.size)

    writer.position = position
    for source in sources:
        checksum, digest = pack(writer, source, packed)
        checksums.append(checksum)
        listing.add(source.line(digest, next(salt)))
        done += source.size
        progress(done, sources.size)
    listing.flush()
    return checksums


def _nobody(_done: int, _total: int) -> None:
    """Takes progress that nobody asked for."""


class _List:
    """FILES.jsonl, put where it belongs while the content is packed: it is never held as a whole."""

    def __init__(self, writer: PlacedWriter, front: Sequence[Member]) -> None:
        self.totals = Totals()
        before = sum(member.total_size for member in takewhile(lambda member: member.path != FILES, front))
        (blank,) = (member for member in front if member.path == FILES)
        self._writer, self._position = writer, before + blank.total_size - blank.size
        self._lines: list[FileLine] = []
        self._checksum = self._size = 0

    def add(self, line: FileLine) -> None:
        """Adds a line."""
        self._lines.append(line)
        if len(self._lines) == _LINES:
            self.flush()

    def flush(self) -> None:
        """Writes what was added, and returns to where the writer was."""
        encoded = encode_lines(self._lines)
        self.totals.add(self._lines, encoded)
        self._checksum = crc32(encoded, self._checksum)
        position, self._writer.position = self._writer.position, self._position + self._size
        self._writer.write(encoded)
        self._writer.position = position
        self._size += len(encoded)
        self._lines.clear()

    def member(self) -> Member:
        """Its record, when everything was written."""
        return Member(FILES, self._checksum, self._size, self._size)
