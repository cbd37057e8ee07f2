"""Opens a workbook's ZIP archive: bombs and parts nobody could inspect are refused before anything is unpacked."""

from handover.formats.errors import refuse
from handover.formats.ooxml import OfficePackage

#: Parts that hold content which is no text.
_UNINSPECTED = {
    "xl/vbaProject.bin": ("宏", "macros"),
    "xl/embeddings/": ("嵌入的文件", "embedded files"),
    "xl/media/": ("图片", "pictures"),
    "xl/activeX/": ("控件", "controls"),
}


def opened(data: bytes) -> OfficePackage:
    """The workbook's parts.

    Raises:
        FormatRefusedError: damaged, encrypted, too large unpacked, or with parts that can't be inspected.
    """
    package = OfficePackage(data)
    if "xl/workbook.xml" not in package.names:
        raise refuse("这个压缩文件不是 XLSX 工作簿。", "This archive is not an XLSX workbook.")
    found = {label for prefix, label in _UNINSPECTED.items() if any(name.startswith(prefix) for name in package.names)}
    if found:
        raise refuse(
            f"工作簿里有尚不能检查的内容：{'、'.join(sorted(zh for zh, _ in found))}。请删除后另存。",
            f"The workbook holds what can't be inspected yet: {', '.join(sorted(en for _, en in found))}. Save a copy without them.",
        )
    return package
