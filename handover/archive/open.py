"""Opens packages: looks into them, and unpacks them all or nothing.

Nothing reaches its final name before the final chunk, the signatures by pinned keys and every hash of what is
unpacked are verified. With `only`, files that are not asked for are not verified, and the result says so.
"""

import contextlib
import os
import shutil
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Self

import msgspec

from handover.archive.errors import TargetExistsError
from handover.archive.manifest import FileLine, Manifest
from handover.archive.package import Package, Progress, SignedBy
from handover.crypto.age import Passphrase, parse_header
from handover.crypto.age.files import sync_folder
from handover.crypto.age.offsets import BINARY, NOFOLLOW
from handover.crypto.trust import Trust

_BLOCK = 1 << 20
#: Files that are made durable at once: file systems write what several threads wait for together.
_SYNCING = 16
#: Files handed to a thread together: handing over costs more than writing a small file.
_GROUP = 16


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """What a package shows: without an identity only its outside. Nothing here says who made it."""

    size: int
    sha256: str
    header_sha256: str
    stanzas: tuple[str, ...]
    manifest_sha256: str | None = None
    manifest: Manifest | None = None
    files: tuple[FileLine, ...] = ()


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A verified package; `signed_by.pinned` False means: whole, but the signer is not known from outside.

    `verified` counts files whose content was read and matched, of `manifest.files.count`.
    """

    manifest: Manifest
    manifest_sha256: str
    signed_by: SignedBy
    verified: int
    written: tuple[str, ...] = ()


def inspect(
    path: Path, identities: Sequence[str | Passphrase] | None = None, *, progress: Progress | None = None
) -> Inspection:
    """The outside of a package, and with identities its manifest and list of files; content is not verified."""
    with path.open("rb") as source:
        digest, size, total = sha256(), 0, os.fstat(source.fileno()).st_size
        while block := source.read(_BLOCK):
            digest.update(block)
            size += len(block)
            if progress:
                progress(size, total)
        source.seek(0)
        header = parse_header(source)
        outside = Inspection(
            size=size,
            sha256=digest.hexdigest(),
            header_sha256=header.sha256,
            stanzas=tuple(stanza.type for stanza in header.stanzas),
        )
        if identities is None:
            return outside
        package = Package(source, identities)
        return msgspec.structs.replace(
            outside,
            manifest_sha256=package.manifest_sha256,
            manifest=package.manifest,
            files=tuple(package.lines),
        )


def verify_package(
    path: Path,
    identities: Sequence[str | Passphrase],
    *,
    trust: Trust | None = None,
    progress: Progress | None = None,
) -> Opened:
    """Verifies everything and writes nothing.

    Raises:
        ArchiveError, CryptoError: names what failed.
    """
    with path.open("rb") as source:
        package = Package(source, identities)
        signed_by = package.verify_signatures(trust) if trust else SignedBy()
        package.verify_content(progress)
        return _opened(package, signed_by, len(package.lines), ())


def open_package(
    path: Path,
    identities: Sequence[str | Passphrase],
    out_dir: Path,
    *,
    trust: Trust | None = None,
    only: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Opened:
    """Verifies a package and unpacks it to `out_dir`, which must not exist or be empty.

    Raises:
        TargetExistsError: `out_dir` holds something.
        UnknownPathError: a path of `only` is not listed.
        ArchiveError, CryptoError: names what failed; `out_dir` is then untouched.
    """
    if out_dir.is_symlink() or (out_dir.exists() and (not out_dir.is_dir() or any(out_dir.iterdir()))):
        raise TargetExistsError(f"{out_dir}: exists and is not an empty folder; name another place")
    with path.open("rb") as source:
        package = Package(source, identities)
        signed_by = package.verify_signatures(trust) if trust else SignedBy()
        chosen = package.lines if only is None else [package.line(name) for name in only]
        with _whole_folder(out_dir) as folder:
            written = _unpack(package, chosen, folder, progress)
        return _opened(package, signed_by, len(chosen), written)


def _opened(package: Package, signed_by: SignedBy, verified: int, written: tuple[str, ...]) -> Opened:
    return Opened(
        manifest=package.manifest,
        manifest_sha256=package.manifest_sha256,
        signed_by=signed_by,
        verified=verified,
        written=written,
    )


def _unpack(package: Package, lines: Sequence[FileLine], folder: Path, progress: Progress | None) -> tuple[str, ...]:
    for name in package.head_names:
        _sync([_write(folder / name, iter([package.head(name)]))])
    done, total = 0, sum(line.size for line in lines)
    folders: set[Path] = set()
    with _Syncing() as syncing:
        for line in dict.fromkeys(lines):
            target = folder / line.path
            if target.parent not in folders:
                target.parent.mkdir(parents=True, exist_ok=True)
                folders.add(target.parent)
            syncing.add(_write(target, package.read(line)))
            done += line.size
            if progress:
                progress(done, total)
    return (*package.head_names, *dict.fromkeys(line.path for line in lines))


def _write(target: Path, blocks: Iterator[bytes]) -> int:
    """Writes a new file; returns its descriptor, for `_sync`."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | NOFOLLOW | BINARY, 0o600)
    try:
        for block in blocks:
            view = memoryview(block)
            while view:
                view = view[os.write(descriptor, view) :]
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


class _Syncing:
    """Makes written files durable and closes them, while others are written; all are when the `with` block ends."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_SYNCING, "sync")
        self._group: list[int] = []
        self._waiting: deque[Future[None]] = deque()

    def add(self, descriptor: int) -> None:
        self._group.append(descriptor)
        if len(self._group) == _GROUP:
            self._pass_on()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._pass_on()
        self._threads.shutdown()
        for one in self._waiting:
            one.result()

    def _pass_on(self) -> None:
        self._waiting.append(self._threads.submit(_sync, self._group))
        self._group = []
        if len(self._waiting) > _SYNCING:
            self._waiting.popleft().result()


def _sync(descriptors: list[int]) -> None:
    with contextlib.ExitStack() as closing:
        for descriptor in descriptors:
            closing.callback(os.close, descriptor)
        for descriptor in descriptors:
            os.fsync(descriptor)


@contextlib.contextmanager
def _whole_folder(target: Path) -> Iterator[Path]:
    """A new private folder beside `target` that takes its name only if the block ends without an error."""
    target = target.absolute()
    parent = target.parent
    parent.mkdir(parents=True, exist_ok=True)
    temporary = parent / f".{target.name}.{os.urandom(8).hex()}.part"
    temporary.mkdir(mode=0o700)
    try:
        yield temporary
        temporary.rename(target)
        sync_folder(parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
