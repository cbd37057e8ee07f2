"""Looks at a workbook's ZIP directory before anything is unpacked: bombs, encryption, and parts nobody would inspect."""

import io
import zipfile

from handover.formats.errors import refuse

_MIB = 1024 * 1024
#: Unpacked XML becomes cells of several times its size; beyond this the child would run into its memory limit.
MAX_UNPACKED = 512 * _MIB
#: Honest sheets compress about 10 to 30 times; deflate's own limit is about 1030.
MAX_RATIO = 200
#: Ratios are judged from this size on: a tiny repetitive part may exceed them.
_RATIO_FROM = 4 * _MIB
MAX_PARTS = 5000
_ENCRYPTED = 0x1

#: Parts that hold content which the cell values do not show.
_UNINSPECTED = {
    "xl/vbaProject.bin": ("宏", "macros"),
    "xl/embeddings/": ("嵌入的文件", "embedded files"),
    "xl/media/": ("图片", "pictures"),
    "xl/activeX/": ("控件", "controls"),
    "xl/comments": ("批注", "comments"),
    "xl/threadedComments/": ("批注", "comments"),
    "xl/pivotCache/": ("数据透视表缓存", "pivot table caches"),
    "xl/externalLinks/": ("外部链接", "external links"),
}


def check(data: bytes) -> None:
    """Refuses what must not be unpacked or can't be inspected whole.

    Raises:
        FormatRefusedError: with the reason.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise refuse("工作簿不完整或已损坏。", "The workbook is cut short or damaged.") from None
    if len({part.filename for part in parts}) != len(parts):
        raise refuse("工作簿的压缩目录有重名条目。", "The workbook's archive lists a part twice.")
    if any(part.flag_bits & _ENCRYPTED for part in parts):
        raise refuse("工作簿的内容已加密，无法检查。", "The workbook's content is encrypted and can't be inspected.")
    if "xl/workbook.xml" not in {part.filename for part in parts}:
        raise refuse("这个压缩文件不是 XLSX 工作簿。", "This archive is not an XLSX workbook.")
    _refuse_bombs(parts)
    _refuse_uninspected([part.filename for part in parts])


def _refuse_bombs(parts: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(part.file_size for part in parts)
    steep = any(
        part.file_size > _RATIO_FROM and part.file_size > MAX_RATIO * max(part.compress_size, 1) for part in parts
    )
    if len(parts) > MAX_PARTS or unpacked > MAX_UNPACKED or steep:
        raise refuse(
            f"工作簿解压后过大（上限 {MAX_UNPACKED // _MIB} MiB）。请拆分或改用 CSV。",
            f"The workbook is too large unpacked (limit {MAX_UNPACKED // _MIB} MiB). Split it or use CSV.",
        )


def _refuse_uninspected(names: list[str]) -> None:
    found = {label for prefix, label in _UNINSPECTED.items() if any(name.startswith(prefix) for name in names)}
    if found:
        raise refuse(
            f"工作簿里有尚不能检查的内容：{'、'.join(sorted(zh for zh, _ in found))}。请删除后另存。",
            f"The workbook holds what can't be inspected yet: {', '.join(sorted(en for _, en in found))}. Save a copy without them.",
        )
