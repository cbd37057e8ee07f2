"""Sealing from what ingest prepares: raw deflate copies with digest and checksum known, as the service's builds do.

python -m benchmarks.package_prepared prepare INPUT FOLDER | seal FOLDER FILE RECIPIENT
"""

import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import msgspec
from isal import isal_zlib

from handover.archive.head import Facts
from handover.archive.manifest import PackageHead
from handover.archive.seal import Entry, seal

_BLOCK = 1 << 20


class Prepared(msgspec.Struct):
    """What ingest notes about one file."""

    name: str
    size: int
    sha256: str
    crc32: int
    deflated_size: int


def prepare(source: Path, folder: Path) -> None:
    """Deflates every file of a folder, and notes the facts."""
    folder.mkdir()
    notes = []
    for path in sorted(source.iterdir()):
        packer = isal_zlib.compressobj(level=1, wbits=-15)
        digest, checksum, size = sha256(), 0, 0
        with path.open("rb") as plain, (folder / path.name).open("wb") as out:
            while block := plain.read(_BLOCK):
                digest.update(block)
                checksum = isal_zlib.crc32(block, checksum)
                size += len(block)
                out.write(packer.compress(block))
            out.write(packer.flush())
            notes.append(Prepared(path.name, size, digest.hexdigest(), checksum, out.tell()))
    (folder / "notes.json").write_bytes(msgspec.json.encode(notes))


def seal_prepared(folder: Path, target: Path, recipient: str) -> None:
    """Seals the deflated files, and verifies what was written."""
    notes = msgspec.json.decode((folder / "notes.json").read_bytes(), type=list[Prepared])
    head = PackageHead(number="bench", purpose="closing", case="C", built_at="2026-01-01T00:00:00Z", software="bench")
    with target.open("w+b", buffering=0) as sink:
        entries = [_entry(note, folder / note.name) for note in notes]
        seal(entries, recipients=[recipient], facts=Facts(package=head), sink=sink).verify_written(sink)


def _entry(note: Prepared, path: Path) -> Entry:
    return Entry(
        path=f"files/{note.name}",
        size=note.size,
        sha256=note.sha256,
        crc32=note.crc32,
        content=lambda: _blocks(path),
        media_type="text/csv",
        deflated_size=note.deflated_size,
    )


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as source:
        while block := source.read(_BLOCK):
            yield block


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["prepare", source, folder]:
            prepare(Path(source), Path(folder))
        case ["seal", folder, target, recipient]:
            seal_prepared(Path(folder), Path(target), recipient)
        case _:
            raise SystemExit(__doc__)
