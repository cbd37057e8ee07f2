"""A JPEG without what is not the picture: EXIF, XMP, IPTC, thumbnails, comments, and anything behind its end."""

from handover.formats.errors import FormatRefusedError, refuse

_START, _SCAN, _END = 0xD8, 0xDA, 0xD9
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_APPLICATION, _COMMENT = range(0xE0, 0xF0), 0xFE
#: Adobe's segment says how colours are stored; without it they would come out wrong.
_ADOBE = 0xEE


def damaged() -> FormatRefusedError:
    """The refusal of a JPEG that breaks off or makes no sense."""
    return refuse("JPEG 图片不完整或已损坏。", "The JPEG picture is cut short or damaged.")


def stripped(data: bytes) -> bytes:
    """The segments that a decoder needs.

    Raises:
        FormatRefusedError: cut short or damaged.
    """
    if data[:2] != b"\xff\xd8":
        raise damaged()
    kept = [data[:2]]
    position = 2
    while True:
        if position + 2 > len(data) or data[position] != 0xFF:
            raise damaged()
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        if marker == _END:
            return b"".join([*kept, b"\xff\xd9"])
        if marker in _STANDALONE:
            position += 2
            continue
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        if marker == _SCAN:
            end = _end_of_scan(data, end)
        if marker not in {_COMMENT, *_APPLICATION} or (marker == _ADOBE and data[position + 4 :][:5] == b"Adobe"):
            kept.append(data[position:end])
        position = end


def _end_of_scan(data: bytes, position: int) -> int:
    """Where the entropy-coded data ends: at a marker that is neither stuffing nor a restart."""
    while True:
        position = data.find(b"\xff", position)
        if position < 0 or position + 1 >= len(data):
            raise damaged()
        if data[position + 1] not in {0x00, 0xFF, *range(0xD0, 0xD8)}:
            return position
        position += 1
