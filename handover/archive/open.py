"""Opens packages: looks into them, and unpacks them all or nothing.

Nothing reaches its final name before the final chunk, the signatures by pinned keys and every hash of what is
unpacked are verified. With `only`, files that are not asked for are not verified, and the result says so.
"""

import contextlib
import mmap
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path

import msgspec

from handover.archive.beside import DEPTH, beside
from handover.archive.durable import durably
from handover.archive.errors import TargetExistsError
from handover.archive.manifest import FileLine, Manifest
from handover.archive.package import RUN, Package, Progress, SignedBy
from handover.archive.unpacking import Unpacking, Writing
from handover.crypto.age import Passphrase, parse_header
from handover.crypto.age.files import sync_folder
from handover.crypto.trust import Trust

_BLOCK = 1 << 20
#: Runs of small files in memory: those that wait to be written, and the next.
_SLOTS = DEPTH + 1
#: Files that are worth the milliseconds which another process costs.
_WORTH_A_PROCESS = 1_000


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
            files=tuple(package.lines()),
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
        return _opened(package, signed_by, len(package.files))


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
    memory = memoryview(mmap.mmap(-1, _SLOTS * RUN))
    writing = Writing(memory)
    with path.open("rb") as source:
        package = Package(source, identities)
        signed_by = package.verify_signatures(trust) if trust else SignedBy()
        numbers = None if only is None else dict.fromkeys(map(package.number, only))
        runs = package.runs() if numbers is None else (range(number, number + 1) for number in numbers)
        worth_it = numbers is None and len(package.files) > _WORTH_A_PROCESS
        # In this order: nobody writes any more when the folder gets its name, or is removed.
        with _whole_folder(out_dir) as folder, beside(writing, worth_it=worth_it) as worker:
            unpacking = Unpacking(str(folder), worker, memory, RUN)
            verified = _unpack(package, runs, folder, writing, unpacking, progress)
        return _opened(package, signed_by, verified)


def _opened(package: Package, signed_by: SignedBy, verified: int) -> Opened:
    return Opened(
        manifest=package.manifest,
        manifest_sha256=package.manifest_sha256,
        signed_by=signed_by,
        verified=verified,
    )


def _unpack(
    package: Package,
    runs: Iterable[range],
    folder: Path,
    writing: Writing,
    unpacking: Unpacking,
    progress: Progress | None,
) -> int:
    """Writes the files beside the content and those of `runs`, durably; returns how many of the latter."""
    root, done, count = str(folder), 0, 0
    with durably(folder) as wrote:
        for name in package.head_names:
            wrote(writing.write(root, name, partial(package.write_head, name)))
        for run in runs:
            if len(run) > 1:
                found, data = package.read_run(run)
                size = unpacking.put(data, found)
            else:
                file = package.files[run[0]]
                size = writing.write(root, file.member.path, partial(package.write, file))
            wrote(size)
            done += size
            count += len(run)
            if progress:
                progress(done, package.manifest.files.size)
        done += unpacking.finish()
    if progress:
        progress(done, package.manifest.files.size)
    return count


@contextlib.contextmanager
def _whole_folder(target: Path) -> Iterator[Path]:
    """A new private folder beside `target` that takes its name only if the block ends without an error."""
    target = target.absolute()
    parent = target.parent
    parent.mkdir(parents=True, exist_ok=True)
    temporary = parent / f".{target.name}.{os.urandom(8).hex()}.part"
    try:
        temporary.mkdir(mode=0o700)  # in the block: an interrupt may come as soon as it is there
        yield temporary
        temporary.rename(target)
        sync_folder(parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
