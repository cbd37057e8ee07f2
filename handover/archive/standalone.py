"""Packages over files and folders on a disk, without a case: what `handover package seal` makes.

Nothing is classified, counted or checked against a workflow; the manifest says so by its purpose. Each file is read
once: its content is placed first, and the head, whose size follows from paths and sizes, last.
"""

import contextlib
from array import array
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import accumulate, chain, takewhile
from pathlib import Path
from typing import NamedTuple

from isal.isal_zlib import crc32

from handover import __version__
from handover.archive.beside import Here, beside
from handover.archive.errors import ArchiveError, TargetExistsError
from handover.archive.head import Facts, Head, SealResult, SigningKeys
from handover.archive.listing import Totals
from handover.archive.manifest import PackageHead
from handover.archive.package import FILES, Progress
from handover.archive.packing import Packing
from handover.archive.reading import Reading
from handover.archive.sources import Sources, sources_below
from handover.archive.zipformat import Member, central_header, central_size, end_records, local_header
from handover.crypto.age.files import whole_file
from handover.crypto.age.placed import PlacedWriter, new_memory
from handover.crypto.age.stream import THREADS

PURPOSE = "standalone"
#: Lines encoded together.
_LINES = 256
#: Content that is worth the milliseconds which another process costs.
_WORTH_A_PROCESS = 8 << 20


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
    sources, memory = Sources(sources_below(paths)), new_memory()
    with (
        contextlib.closing(Reading(sources, memory)) as reading,
        # Before any key of the package is drawn, and before the file is there.
        beside(reading, worth_it=sources.small and sources.ends[-1] > _WORTH_A_PROCESS) as worker,
        whole_file(out, 0o666) as sink,
    ):
        head, input_ = Head(recipients, facts, keys), _Input(sources, worker, memory)
        return _write(sink.fileno(), input_, head, recipients, progress)


def _write(
    target: int, input_: "_Input", head: Head, recipients: Sequence[str], progress: Progress | None
) -> SealResult:
    sources = input_.sources
    front = head.blank(len(sources), sources.size, sources.list_size)
    front_size = sum(member.total_size for member in front)
    records_size = sum(map(central_size, front, _offsets(front))) + sources.records_size(front_size)
    end = front_size + sources.ends[-1]
    plain_size = end + records_size + len(end_records(len(front) + len(sources), records_size, end))
    with PlacedWriter(target, recipients, plain_size, input_.memory) as writer:
        if tuple(stanza.type for stanza in writer.header.stanzas) != head.kinds:
            raise ArchiveError(f"the header does not name the recipients {head.kinds}; nothing was written")
        writer.position = front_size
        content = _Content(writer, input_, front)
        writer.run(content.steps(progress), 1 if sources.small else THREADS)
        if progress:
            progress(sources.size, sources.size)
        manifest = head.manifest(content.listing.totals.head())
        writer.run(_rest(writer, sources, content, head.files(manifest.encode(), content.listing.member())))
    return head.result(manifest, header_sha256=writer.header.sha256, size=writer.size)


def _rest(
    writer: PlacedWriter, sources: Sources, content: "_Content", front: Sequence[tuple[Member, bytes | None]]
) -> Iterator[None]:
    """The directory behind the content, then what stands in front."""
    for block in _directory([member for member, _ in front], sources, content.checksums):
        writer.write(block)
        if writer.full:
            yield
    writer.position = 0
    for member, data in front:
        writer.write(local_header(member))
        if data is None:
            writer.position += member.size
        else:
            writer.write(data)


def _directory(front: Sequence[Member], sources: Sources, checksums: Sequence[int]) -> Iterator[bytes]:
    """What `zipformat.directory` makes, from many files at a time."""
    begin, size = sum(member.total_size for member in front), 0
    for block in chain(map(central_header, front, _offsets(front)), sources.records(checksums, begin)):
        yield block
        size += len(block)
    yield end_records(len(front) + len(sources), size, begin + sources.ends[-1])


def _offsets(members: Sequence[Member]) -> Iterator[int]:
    return accumulate((member.total_size for member in members), initial=0)


class _Input(NamedTuple):
    """Files, who reads them, and where to."""

    sources: Sources
    worker: Here
    memory: memoryview


class _Content:
    """The files, and the list of them."""

    def __init__(self, writer: PlacedWriter, input_: _Input, front: Sequence[Member]) -> None:
        self.listing, self.checksums = _List(writer, front), array("I")
        self._packing, self._total = Packing(writer, input_.sources, input_.worker), input_.sources.size

    def steps(self, progress: Progress | None) -> Iterator[None]:
        """What `PlacedWriter.run` asks for."""
        for packed in self._packing.steps():
            if packed:
                self.checksums.extend(packed.checksums)
                self.listing.add(packed.lines, len(packed.checksums), packed.size)
            if progress:
                progress(self._packing.done, self._total)
            yield
        self.listing.flush()


class _List:
    """FILES.jsonl, put where it belongs while the content is packed: it is never held as a whole."""

    def __init__(self, writer: PlacedWriter, front: Sequence[Member]) -> None:
        self.totals = Totals()
        before = sum(member.total_size for member in takewhile(lambda member: member.path != FILES, front))
        (blank,) = (member for member in front if member.path == FILES)
        self._writer, self._position = writer, before + blank.total_size - blank.size
        self._lines: list[bytes] = []
        self._checksum = self._size = self._content = self._count = 0

    def add(self, lines: bytes, count: int, size: int) -> None:
        """Adds the lines of so many files of together so many bytes."""
        self._lines.append(lines)
        self._count += count
        self._content += size
        if self._count >= _LINES:
            self.flush()

    def flush(self) -> None:
        """Writes what was added, and returns to where the writer was."""
        encoded = b"".join(self._lines)
        self.totals.add_encoded(encoded, self._count, self._content)
        self._checksum = crc32(encoded, self._checksum)
        position, self._writer.position = self._writer.position, self._position + self._size
        self._writer.write(encoded)
        self._writer.position = position
        self._size += len(encoded)
        self._content = self._count = 0
        self._lines.clear()

    def member(self) -> Member:
        """Its record, when everything was written."""
        return Member(FILES, self._checksum, self._size, self._size)
