"""What does not fit the fields of a plain ZIP: more than 65,535 entries, and more than 4 GiB in one file or before one."""

import io
import zipfile
from itertools import repeat
from pathlib import Path

from isal.isal_zlib import crc32

from handover.archive.package import Package
from handover.archive.seal import Plan
from handover.archive.zipformat import Member
from handover.archive.zipreader import ZipReader
from handover.archive.zipwriter import ZipWriter, archive_size
from handover.crypto.age import decrypt_bytes, recipient_of
from tests.archive.samples import FACTS, IDENTITY, entry

ZEROS = bytes(1 << 20)
BLOCKS = 4097


class _Sparse:
    """A file whose zeros take no room."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("w+b")

    def write(self, data: bytes | memoryview) -> None:
        if data is ZEROS:
            self.file.seek(len(data), io.SEEK_CUR)
        else:
            self.file.write(data)

    @property
    def size(self) -> int:
        return self.file.seek(0, io.SEEK_END)

    def read_at(self, offset: int, size: int) -> bytes:
        self.file.seek(offset)
        return self.file.read(size)


def test_more_than_4_gib_in_one_file_and_before_the_next(tmp_path: Path) -> None:
    checksum = 0
    for block in repeat(ZEROS, BLOCKS):
        checksum = crc32(block, checksum)
    size = BLOCKS * len(ZEROS)
    members = [Member("files/large", checksum, size, size), Member("files/behind", crc32(b"x"), 1, 1)]
    sparse = _Sparse(tmp_path / "large.zip")
    archive = ZipWriter(sparse)
    archive.add(members[0], repeat(ZEROS, BLOCKS))
    archive.add(members[1], [b"x"])
    archive.close()
    assert archive.size == archive_size(members) == sparse.size
    reader = ZipReader(sparse)
    found = list(reader.entries())
    assert [member for member, _ in found] == members
    assert not any(next(reader.read(*found[0])))
    assert b"".join(reader.read(*found[1])) == b"x"
    with zipfile.ZipFile(sparse.file) as foreign:
        assert [info.file_size for info in foreign.infolist()] == [size, 1]
        assert foreign.read("files/behind") == b"x"
    sparse.file.close()


def test_more_than_65_535_files() -> None:
    count = 66_000
    sink = io.BytesIO()
    entries = [entry(f"files/{number % 100}/{number}", b"%d" % number) for number in range(count)]
    Plan(entries, recipients=[recipient_of(IDENTITY)], facts=FACTS).write(sink)
    package = Package(sink, [IDENTITY])
    assert len(package.files) == package.manifest.files.count == count
    assert b"".join(package.read(package.files[package.number("99/65999")])) == b"65999"
    package.verify_content()
    with zipfile.ZipFile(io.BytesIO(decrypt_bytes(sink.getvalue(), [IDENTITY]))) as foreign:
        assert foreign.read("files/99/65999") == b"65999"
        assert len(foreign.infolist()) == count + 4
