"""Packages over files and folders on a disk, without a case: what `handover package seal` makes.

Nothing is classified, counted or checked against a workflow; the manifest says so by its purpose. Each file is read
once: its content is placed first, and the head, whose size follows from paths and sizes, last.
"""

from array import array
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from itertools import chain
from pathlib import Path

from handover import __version__
from handover.archive.errors import ArchiveError, TargetExistsError
from handover.archive.head import Facts, Head, SealResult, SigningKeys
from handover.archive.manifest import SALT_SIZE, FileLine, FilesHead, PackageHead, encode_line, salts
from handover.archive.package import Progress
from handover.archive.packing import pack
from handover.archive.sources import Source, sources_below
from handover.archive.zipformat import directory, local_header
from handover.archive.zipwriter import archive_size
from handover.crypto.age.files import whole_file
from handover.crypto.age.placed import PlacedWriter
from handover.crypto.merkle import Frontier, leaf_hash

PURPOSE = "standalone"


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
    sources = list(sources_below(paths))
    with whole_file(out, 0o666) as sink:
        return _write(sink.fileno(), sources, Head(recipients, facts, keys), recipients, progress)


def _write(
    target: int, sources: Sequence[Source], head: Head, recipients: Sequence[str], progress: Progress | None
) -> SealResult:
    total = sum(source.size for source in sources)
    # As long as the real lines, since digests and salts are.
    list_size = sum(len(_line(source, "0" * 64, "0" * 2 * SALT_SIZE)) for source in sources)
    front = head.blank(len(sources), total, list_size)
    plain_size = archive_size(chain(front, (source.member(0) for source in sources)))
    with PlacedWriter(target, recipients, plain_size) as writer:
        if tuple(stanza.type for stanza in writer.header.stanzas) != head.kinds:
            raise ArchiveError(f"the header does not name the recipients {head.kinds}; nothing was written")
        writer.position = sum(member.total_size for member in front)
        content, told = _Content(), progress or _nobody
        for source in sources:
            content.add(source, *pack(writer, source, lambda size: told(content.size + size, total)))
            told(content.size, total)
        manifest = head.manifest(content.head())
        entries = head.files(manifest.encode(), content.files_jsonl)
        members = chain((member for member, _ in entries), map(Source.member, sources, content.checksums))
        for block in directory(members):
            writer.write(block)
        writer.position = 0
        for member, data in entries:
            writer.write(local_header(member))
            writer.write(data)
    return head.result(manifest, header_sha256=writer.header.sha256, size=writer.size)


def _nobody(_done: int, _total: int) -> None:
    """Takes progress that nobody asked for."""


class _Content:
    """What is known of the files that were packed, in few bytes for each."""

    def __init__(self) -> None:
        self.checksums = array("I")
        self.files_jsonl = bytearray()
        self.size = 0
        self._tree = Frontier()
        self._salts = salts()

    def add(self, source: Source, checksum: int, digest: str) -> None:
        line = _line(source, digest, next(self._salts))
        self.checksums.append(checksum)
        self.files_jsonl += line
        self.size += source.size
        self._tree.append(leaf_hash(line[:-1]))

    def head(self) -> FilesHead:
        return FilesHead(
            count=len(self.checksums),
            size=self.size,
            records=0,
            persons=0,
            root=self._tree.root().hex(),
            sha256=sha256(self.files_jsonl).hexdigest(),
        )


def _line(source: Source, digest: str, salt: str) -> bytes:
    return encode_line(
        FileLine(
            path=source.path,
            size=source.size,
            sha256=digest,
            media_type=source.media_type,
            level="",
            records=0,
            redaction="",
            salt=salt,
        )
    )
