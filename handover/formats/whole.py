"""A file that can only be read as a whole, within a limit."""

from collections.abc import Iterable

from handover.formats.errors import refuse

_MIB = 1024 * 1024


def whole(chunks: Iterable[bytes], limit: int, kind: str) -> bytes:
    """All bytes of a file of `kind`.

    Raises:
        FormatRefusedError: there are more than `limit`.
    """
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > limit:
            raise refuse(
                f"{kind} 文件超过 {limit // _MIB} MiB，无法整体检查。请拆分。",
                f"The {kind} file is larger than {limit // _MIB} MiB and can't be inspected whole. Split it.",
            )
    return bytes(data)
