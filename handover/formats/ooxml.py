"""Opens Office packages (ECMA-376 part 2) without trusting them: bombs, encryption and XML entities are refused."""

import io
import zipfile
from typing import Any

from lxml import etree

from handover.formats.errors import FormatRefusedError, refuse

_MIB = 1024 * 1024
MAX_PARTS = 5000
#: Unpacked XML becomes cells of several times its size; beyond this the child would run into its memory limit.
MAX_UNPACKED = 512 * _MIB
#: A parsed tree takes about eight times its text.
MAX_XML = 24 * _MIB
#: Honest XML compresses about 10 to 30 times; deflate's own limit is about 1030.
MAX_RATIO = 200
#: Ratios are judged from this size on: a tiny repetitive part may exceed them.
_RATIO_FROM = 4 * _MIB
_ENCRYPTED = 0x1
#: Properties that a program writes about itself and the file's size.
PROGRAM_PROPERTIES = frozenset(
    {"Application", "AppVersion", "DocSecurity", "ScaleCrop", "LinksUpToDate", "SharedDoc", "HyperlinksChanged", "created", "modified", "lastPrinted", "revision", "i4", "TotalTime", "Pages", "Words", "Characters", "Lines", "Paragraphs", "CharactersWithSpaces", "Template", "lpstr", "Slides", "Notes", "version"}
)  # fmt: skip
_EPOCH = (1980, 1, 1, 0, 0, 0)


class OfficePackage:
    """The parts of a package by name."""

    def __init__(self, data: bytes) -> None:
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
            parts = self._archive.infolist()
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
            raise damaged() from None
        self.names = [part.filename for part in parts if not part.is_dir()]
        if len(set(self.names)) != len(self.names):
            raise refuse("文件的压缩目录有重名条目。", "The file's archive lists a part twice.")
        if any(part.flag_bits & _ENCRYPTED for part in parts):
            raise refuse("文件的内容已加密，无法检查。", "The file's content is encrypted and can't be inspected.")
        _refuse_bombs(parts)
        self._xml_left = MAX_XML

    def read(self, name: str) -> bytes:
        """The bytes of a part.

        Raises:
            FormatRefusedError: damaged.
        """
        try:
            return self._archive.read(name)
        except (zipfile.BadZipFile, OSError, ValueError, KeyError, NotImplementedError, EOFError, RuntimeError):
            raise damaged() from None
        except Exception as error:  # zlib.error and lzma's have no common base
            if type(error).__name__ in {"error", "LZMAError"}:
                raise damaged() from None
            raise

    def xml(self, name: str) -> Any:
        """The root element of a part.

        Raises:
            FormatRefusedError: no XML, with a document type or entities, nested too deep, or too large.
        """
        data = self.read(name)
        self._xml_left -= len(data)
        if self._xml_left < 0:
            raise _too_large()
        return parsed(data)


def parsed(data: bytes) -> Any:
    """XML as an element; comments and processing instructions are left out.

    Raises:
        FormatRefusedError: malformed, nested too deep, or with a document type.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise damaged() from None
    if root.getroottree().docinfo.doctype or root.getroottree().docinfo.internalDTD is not None:
        raise refuse(
            "文件的 XML 里有文档类型声明（DTD），不予处理。",
            "The file's XML declares a document type (DTD); it is not processed.",
        )
    return root


def written(parts: dict[str, bytes]) -> bytes:
    """A package of these parts, with fixed dates and nothing else."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def damaged() -> FormatRefusedError:
    return refuse("文件不完整或已损坏，无法读取。", "The file is cut short or damaged and can't be read.")


def _too_large() -> FormatRefusedError:
    return refuse(
        f"文件解压后过大（上限 {MAX_UNPACKED // _MIB} MiB，其中 XML 结构 {MAX_XML // _MIB} MiB）。请拆分文件。",
        f"The file is too large unpacked (limit {MAX_UNPACKED // _MIB} MiB, {MAX_XML // _MIB} MiB of XML). Split it.",
    )


def _refuse_bombs(parts: list[zipfile.ZipInfo]) -> None:
    steep = any(
        part.file_size > _RATIO_FROM and part.file_size > MAX_RATIO * max(part.compress_size, 1) for part in parts
    )
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED or steep:
        raise _too_large()
