"""Bounds what a PDF may unpack to, before and while it is parsed."""

import re
import zlib

import pikepdf

from handover.formats.errors import FormatRefusedError, refuse

_MIB = 1 << 20
#: Content of 2,000 pages is a few MiB each at most; a picture of an A4 page at 600 dpi in colour has 104 MiB.
MAX_STREAM = 128 * _MIB
#: A parsed content stream takes some hundred times its size as objects.
MAX_CONTENT = 8 * _MIB
MAX_FILE = 512 * _MIB
MAX_PAGES = 2000
MAX_OBJECTS = 400_000
#: Object streams are held in memory unpacked as a whole.
MAX_OBJECT_STREAMS = 64 * _MIB
#: What filters without a bound of their own can make of their input (LZW at its best).
_WORST_RATIO = 1400
_PIECE = 1 << 20
_STREAM = re.compile(rb"stream\r?\n")
_OBJECT_STREAM = re.compile(rb"/(?:ObjStm|XRef)\b")
_DICTIONARY_REACH = 512
_FLATE = ("/FlateDecode", "/Fl")


def too_large() -> FormatRefusedError:
    """The refusal of a bomb."""
    return refuse(
        "PDF 的内容展开后过大，可能是压缩炸弹。请拆分文件。",
        "The PDF's content is too large unpacked; it may be a decompression bomb. Split the file.",
    )


def check_raw(data: bytes) -> None:
    """Inflates every compressed stream into nothing, so that no parser meets a bomb.

    Raises:
        FormatRefusedError: a stream, or the object streams together, unpack to too much.
    """
    if len(data) > MAX_FILE:
        raise too_large()
    held = 0
    position = 0
    while (found := _STREAM.search(data, position)) is not None:
        position = found.end()
        if data[position : position + 1] not in b"\x78\x68\x58\x48\x38\x28\x18\x08":
            continue
        is_objects = _OBJECT_STREAM.search(data, max(0, found.start() - _DICTIONARY_REACH), found.start()) is not None
        size, used = _inflated(data, position, MAX_OBJECT_STREAMS if is_objects else MAX_STREAM)
        held += size if is_objects else 0
        if held > MAX_OBJECT_STREAMS:
            raise too_large()
        position += used


def _inflated(data: bytes, start: int, limit: int) -> tuple[int, int]:
    """How much the stream at `start` unpacks to, and how many bytes it took."""
    inflate = zlib.decompressobj()
    size = 0
    position = start
    try:
        while position < len(data) and not inflate.eof:
            piece = data[position : position + _PIECE]
            position += len(piece)
            while piece and not inflate.eof:
                size += len(inflate.decompress(piece, _PIECE))
                piece = inflate.unconsumed_tail
                if size > limit:
                    raise too_large()
    except zlib.error:
        return size, 0
    return size, max(0, position - start - len(inflate.unused_data))


def bounded(stream: pikepdf.Object, limit: int = MAX_STREAM) -> bytes:
    """The unpacked bytes of a stream.

    Raises:
        FormatRefusedError: more than `limit`, or a chain of filters whose size can't be foreseen.
    """
    if not isinstance(stream, pikepdf.Stream):
        raise refuse("PDF 里有损坏的数据流。", "The PDF contains a damaged stream.")
    names = filters(stream)
    raw = stream.read_raw_bytes()
    flates = sum(name in _FLATE for name in names)
    if flates > 1 or len(names) > 2:
        raise too_large()
    if flates and names[-1] in _FLATE:
        data = raw if len(names) == 1 else b""
        if data and _inflated(data, 0, limit)[0] > limit:
            raise too_large()
        if not data and len(raw) * _WORST_RATIO > limit:
            raise too_large()
    elif names and len(raw) * _WORST_RATIO > limit and not set(names) <= {"/ASCIIHexDecode", "/AHx"}:
        raise too_large()
    try:
        return stream.read_bytes()
    except pikepdf.PdfError:
        raise refuse("PDF 里有损坏的数据流。", "The PDF contains a damaged stream.") from None


def filters(stream: pikepdf.Object) -> list[str]:
    """The names of a stream's filters, outermost first."""
    value = stream.get("/Filter")
    if value is None:
        return []
    return [str(name) for name in value] if isinstance(value, pikepdf.Array) else [str(value)]
