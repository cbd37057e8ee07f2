"""Packages over files and folders on a disk, without a case: what `handover package seal` makes.

Nothing is classified, counted or checked against a workflow; the manifest says so by its purpose. Files are read twice,
and a file that changed in between spoils the build instead of going out unlisted.
"""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from isal.isal_zlib import crc32

from handover import __version__
from handover.archive import names
from handover.archive.errors import SourceChangedError, TargetExistsError
from handover.archive.manifest import PackageHead
from handover.archive.package import Progress
from handover.archive.seal import Entry, Facts, SealResult, SigningKeys, seal
from handover.crypto.age.files import whole_file
from handover.crypto.age.stream import workers

PURPOSE = "standalone"
_BLOCK = 1 << 20
#: Files that wait for their hash, or for who asked for it.
_HASHED_AHEAD = 64
_UNKNOWN = "application/octet-stream"
#: Named here rather than guessed by the system's tables, which differ between machines.
_MEDIA_TYPES = {
    ".csv": "text/csv",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".eml": "message/rfc822",
    ".html": "text/html",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".sqlite": "application/vnd.sqlite3",
    ".txt": "text/plain",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".zip": "application/zip",
}


def seal_paths(
    paths: Sequence[Path],
    recipients: Sequence[str],
    out: Path,
    *,
    keys: SigningKeys | None = None,
    number: str | None = None,
    progress: Progress | None = None,
) -> SealResult:
    """Seals files and folders to `out`, which appears when the written file was read back and verified.

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
    entries = list(entries_of(paths))
    with whole_file(out, 0o666) as sink:
        sealed = seal(entries, recipients=recipients, facts=facts, sink=sink, keys=keys, progress=progress)
        sink.flush()
        sealed.verify_written(sink)
    return sealed.result


def entries_of(paths: Sequence[Path]) -> Iterator[Entry]:
    """An entry for each regular file, in a fixed order; a folder's own name stays in the path."""
    taken = names.UniquePaths()
    found = (
        (file, taken.add_numbered(names.clean_path(names.ROOT + relative)))
        for path in paths
        for file, relative in _files_below(path)
    )
    # Several large files are hashed at once; for a small one, handing it to a thread costs more than its hash.
    hashing: deque[Future[Entry]] = deque()
    for file, clean in found:
        if file.stat().st_size >= _BLOCK:
            hashing.append(workers().submit(_entry, file, clean))
        else:
            hashing.append(Future())
            hashing[-1].set_result(_entry(file, clean))
        if len(hashing) > _HASHED_AHEAD:
            yield hashing.popleft().result()
    for entry in hashing:
        yield entry.result()


def _files_below(path: Path) -> Iterator[tuple[Path, str]]:
    root = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links
    if root.is_symlink() or not root.exists():
        raise SourceChangedError(f"{path}: there is no such file or folder, or it is a link", path=str(path))
    if root.is_file():
        yield root, root.name
        return
    for folder, subfolders, files in os.walk(root):
        subfolders.sort()
        for name in sorted([*files, *subfolders]):
            file = Path(folder) / name
            if file.is_symlink() or not (file.is_file() or file.is_dir()):
                raise SourceChangedError(f"{file}: a link or device can't be packed", path=str(file))
            if file.is_file():
                yield file, file.relative_to(root.parent).as_posix()


def _entry(file: Path, clean: str) -> Entry:
    digest, checksum, size = sha256(), 0, 0
    for block in _blocks(file):
        digest.update(block)
        checksum = crc32(block, checksum)
        size += len(block)
    return Entry(
        path=clean,
        size=size,
        sha256=digest.hexdigest(),
        crc32=checksum,
        content=lambda: _blocks(file),
        media_type=_MEDIA_TYPES.get(file.suffix.lower(), _UNKNOWN),
    )


def _blocks(file: Path) -> Iterator[bytes]:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise SourceChangedError(f"{file}: can't be read: {error.strerror}", path=str(file)) from error
    with os.fdopen(descriptor, "rb", buffering=0) as source:
        while block := source.read(_BLOCK):
            yield block
