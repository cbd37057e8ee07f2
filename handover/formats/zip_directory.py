"""The directory of a ZIP, checked against its bytes before anything is unpacked.

Programs differ in what they show of a ZIP whose parts overlap, hide between others, or lie before or behind it; only
one with nothing but its entries, each once and each in its place, is accepted.
"""

import io
import stat
import struct
import zipfile

from handover.formats.errors import FormatRefusedError, refuse
from handover.formats.members import MAX_MEMBERS, MAX_UNPACKED, check_path

_MIB = 1024 * 1024
#: Text shrinks 5 to 30 times; deflate's own limit is about 1030.
MAX_RATIO = 200
#: Ratios are judged from this size on: a tiny repetitive file may exceed them.
_RATIO_FROM = 4 * _MIB
_ENCRYPTED = 0x1 | 0x40
_UTF8_NAME = 0x800
_LOCAL = struct.Struct("<4s5H3I2H")
#: What may lie between an entry's bytes and the next header: a data descriptor, with its 64-bit sizes.
_DESCRIPTOR = 24
_END = struct.Struct("<4s4H2IH")
_END_MARK = b"PK\x05\x06"
#: The end record and the comment behind it, at most.
END_BYTES = _END.size + 0xFFFF


def ends_like_zip(tail: bytes) -> bool:
    """True when a file whose last `END_BYTES` bytes (or all) these are would also be opened as a ZIP."""
    return _end_of(tail) is not None


def _end_of(data: bytes) -> int | None:
    """Where the end record stands that reaches exactly to the end of the data."""
    at = data.rfind(_END_MARK, max(0, len(data) - END_BYTES))
    while at >= 0:
        if len(data) - at >= _END.size and at + _END.size + _END.unpack_from(data, at)[7] == len(data):
            return at
        at = data.rfind(_END_MARK, 0, at)
    return None


def entries(data: bytes) -> tuple[zipfile.ZipFile, list[tuple[zipfile.ZipInfo, str]]]:
    """The archive and its files with their paths, in the archive's order; folders are left out.

    Raises:
        FormatRefusedError: encrypted, damaged, a bomb, or with names or places that programs read differently.
    """
    if _end_of(data) is None:
        raise refuse("压缩包不完整，或后面附有别的数据。", "The archive is cut short, or other data follows it.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        found = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, struct.error):
        raise _damaged() from None
    _check_sizes(found)
    _check_places(data, found, archive.start_dir)
    named = [(entry, _path(entry)) for entry in found]
    for entry, path in named:
        _check(entry, path)
    if len({path.rstrip("/").casefold() for _, path in named}) != len(named):
        raise refuse("压缩包里有重名的文件。", "The archive holds two files of one name.")
    return archive, [(entry, path) for entry, path in named if not path.endswith("/")]


def _damaged() -> FormatRefusedError:
    return refuse("压缩包已损坏，无法读取。", "The archive is damaged and can't be read.")


def _check_sizes(found: list[zipfile.ZipInfo]) -> None:
    steep = any(
        entry.file_size > _RATIO_FROM and entry.file_size > MAX_RATIO * max(entry.compress_size, 1) for entry in found
    )
    if len(found) > MAX_MEMBERS or steep or sum(entry.file_size for entry in found) > MAX_UNPACKED:
        raise refuse(
            f"压缩包解压后过大（上限 {MAX_MEMBERS} 个文件、{MAX_UNPACKED // _MIB} MiB、压缩比 {MAX_RATIO}）。请拆分。",
            f"The archive is too large unpacked (limits: {MAX_MEMBERS} files, {MAX_UNPACKED // _MIB} MiB, ratio {MAX_RATIO}). Split it.",
        )


def _check_places(data: bytes, found: list[zipfile.ZipInfo], directory: int) -> None:
    """Entries follow each other without gap or overlap from the first byte on, and are what the directory says."""
    at = slack = 0
    for entry in sorted(found, key=lambda entry: entry.header_offset):
        if not at <= entry.header_offset <= at + slack or entry.header_offset + _LOCAL.size > len(data):
            raise _not_only_entries()
        mark, _, flags, _, _, _, _, _, _, name, extra = _LOCAL.unpack_from(data, entry.header_offset)
        start = entry.header_offset + _LOCAL.size
        if mark != b"PK\x03\x04" or data[start : start + name] != _raw_name(entry):
            raise _damaged()
        if (flags | entry.flag_bits) & _ENCRYPTED:
            raise refuse("压缩包已加密，无法检查。请解密后提供。", "The archive is encrypted and can't be inspected.")
        at, slack = start + name + extra + entry.compress_size, _DESCRIPTOR if flags & 0x8 else 0
    if not at <= directory <= at + slack:
        raise _not_only_entries()


def _not_only_entries() -> FormatRefusedError:
    return refuse(
        "压缩包里除条目外还藏有别的数据，或条目相互重叠。请重新压缩。",
        "The archive holds other data beside its entries, or entries that overlap. Pack it anew.",
    )


def _raw_name(entry: zipfile.ZipInfo) -> bytes:
    return entry.orig_filename.encode("utf-8" if entry.flag_bits & _UTF8_NAME else "cp437")


def _path(entry: zipfile.ZipInfo) -> str:
    """The name; what is not marked as UTF-8 is it all the same, or GB 18030 (Windows in Chinese), before it is CP 437."""
    if entry.flag_bits & _UTF8_NAME:
        return entry.orig_filename
    for coding in ("utf-8", "gb18030"):
        try:
            return _raw_name(entry).decode(coding)
        except UnicodeDecodeError:
            continue
    return entry.orig_filename


def _check(entry: zipfile.ZipInfo, path: str) -> None:
    check_path(path.removesuffix("/"))
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR} or (path.endswith("/") and entry.file_size):
        raise refuse("压缩包里有符号链接或特殊文件。", "The archive holds a symbolic link or a special file.")
    if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise refuse(
            "压缩包用了少见的压缩方法。请用普通 ZIP。", "The archive uses an uncommon method. Pack it as plain ZIP."
        )
