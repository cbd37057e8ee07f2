"""Which encoding a text is in, and its decoding piece by piece.

UTF-8 (with or without BOM), UTF-16 with BOM, and GB18030 are told apart by what decodes and by how plausible it is:
GB18030 accepts nearly any bytes, so a Western single-byte text would pass as rare characters; it is refused.
A file may be plain ASCII for megabytes before its first Chinese character, so "ascii" is a state, not a verdict.
"""

import codecs
import contextlib
from collections.abc import Iterable, Iterator

from handover.formats.errors import FormatRefusedError, refuse

#: Text after the first non-ASCII byte that decides: enough for some hundred characters.
_DECIDING_BYTES = 4096
#: Share of two-byte characters that lie in the GB 2312 range; Chinese business text is above .95.
_PLAUSIBLE_SHARE = 0.7
_GB2312_TRAIL = 0xA1
_ASCII = bytes(range(128))
#: Control characters that no text needs; form feed and escape do occur in printouts.
_CONTROLS = bytes({*range(1, 9), *range(14, 32)} - {27})
#: So many, or one in so many bytes, are still a slip of some program; more is no text.
_SLIPS, _BYTES_PER_SLIP = 3, 100

#: Programs that say `gb2312` or `big5` write the larger sets of the same family.
_FAMILIES = {"gb2312": "gb18030", "gbk": "gb18030", "big5": "cp950", "big5-hkscs": "big5hkscs", "hz-gb-2312": "hz"}
_WESTERN = ("us-ascii", "ascii", "iso-8859-", "iso_8859-", "latin", "windows-125", "cp125")
#: Codecs of Python that are no encodings of a text.
_NO_CHARACTER_SETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})


def detect(head: bytes) -> str:
    """`ascii`, `utf-8`, `utf-8-sig`, `utf-16` or `gb18030`.

    Raises:
        FormatRefusedError: binary, or an encoding that is none of these.
    """
    if head.startswith(codecs.BOM_UTF8):
        _decode_piece(codecs.getincrementaldecoder("utf-8-sig")(errors="strict"), head, 0, final=False)
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        if _decodes(head, "utf-16"):
            return "utf-16"
        raise _binary()
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if b"\0" in head or controls > max(_SLIPS, len(head) // _BYTES_PER_SLIP):
        raise _binary()
    if head.isascii():
        return "ascii"
    if _decodes(head, "utf-8"):
        return "utf-8"
    if _decodes(head, "gb18030") and _is_plausible_gb18030(head):
        return "gb18030"
    raise refuse(
        "文本编码既不是 UTF-8 也不是 GB18030，无法可靠读取。请另存为 UTF-8。",
        "The text is neither UTF-8 nor GB18030, so it can't be read reliably. Save it as UTF-8.",
    )


def _binary() -> FormatRefusedError:
    return refuse(
        "内容是未知的二进制格式，无法检查。", "The content is an unknown binary format and can't be inspected."
    )


def decode_head(head: bytes, coding: str) -> str:
    """The head as text; a character cut in two at its end is left out."""
    return codecs.getincrementaldecoder(coding)(errors="strict").decode(head, final=False)


def _decodes(data: bytes, coding: str) -> bool:
    try:
        decode_head(data, coding)
    except UnicodeDecodeError:
        return False
    return True


def _is_plausible_gb18030(data: bytes) -> bool:
    pairs = common = position = 0
    while position < len(data) - 1:
        if data[position] < 0x80:
            position += 1
            continue
        pairs += 1
        common += data[position + 1] >= _GB2312_TRAIL and data[position] <= 0xF7
        position += 2
    return pairs == 0 or common / pairs >= _PLAUSIBLE_SHARE


def decode_as(data: bytes, label: str) -> str:
    """A text whose encoding is said beside it (a mail's part, a web page); the word is believed where the bytes allow it.

    Raises:
        FormatRefusedError: nothing fits.
    """
    coding = _FAMILIES.get(label.lower(), label.lower())
    if data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "".join(decode([data]))
    if coding.startswith(_WESTERN):
        # These labels fit any bytes, and are what programs write that were not told.
        with contextlib.suppress(FormatRefusedError):
            return "".join(decode([data]))
    with contextlib.suppress(ValueError, LookupError):  # of no text, no such name, or a name with a zero byte
        if coding and codecs.lookup(coding).name not in _NO_CHARACTER_SETS:
            return data.decode(coding)
    return "".join(decode([data]))


def decode(chunks: Iterable[bytes]) -> Iterator[str]:
    """Text of a byte stream, in pieces.

    Raises:
        FormatRefusedError: the encoding is unknown, or changes on the way.
    """
    for _, text, _ in _decoded(chunks):
        yield text


def to_utf8(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same text as UTF-8 without BOM. What is UTF-8 passes unchecked, and a piece of it may end within a character: its reader looks
    whether it holds (`utf8_text`, or the kernel).

    Raises:
        FormatRefusedError: as with `decode`.
    """
    for chunk, text, coding in _decoded(chunks, unchecked=("utf-8", "utf-8-sig")):
        if coding == "utf-8-sig":
            yield chunk.removeprefix(codecs.BOM_UTF8)
        else:
            yield chunk if coding in {"ascii", "utf-8"} else text.encode()


def utf8_text(pieces: Iterable[bytes], position: int, *, whole: bool = True) -> Iterator[str]:
    """Text of UTF-8 that begins `position` bytes behind the start; unless `whole`, it may end within a character.

    Raises:
        FormatRefusedError: it does not hold.
    """
    decoder = codecs.getincrementaldecoder("utf-8")(errors="strict")
    for piece in pieces:
        yield _decode_piece(decoder, piece, position, final=False)
        position += len(piece)
    if whole:
        yield _decode_piece(decoder, b"", position, final=True)


def _decoded(chunks: Iterable[bytes], unchecked: tuple[str, ...] = ()) -> Iterator[tuple[bytes, str, str]]:
    """Pieces as bytes and as text, and the encoding by which they were read; no text of encodings that are `unchecked`."""
    decoder: codecs.IncrementalDecoder | None = None
    coding = "ascii"
    position = 0
    for chunk in _decidable(chunks):
        if decoder is None and (position == 0 or not chunk.isascii()):
            coding = detect(chunk)
            decoder = None if coding == "ascii" else codecs.getincrementaldecoder(coding)(errors="strict")
        text = "" if coding in unchecked else _decode_piece(decoder, chunk, position, final=False)
        yield chunk, text, coding
        position += len(chunk)
    if decoder is not None and coding not in unchecked:
        yield b"", _decode_piece(decoder, b"", position, final=True), coding


def _decidable(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Pieces that show enough after their first non-ASCII byte to decide by."""
    held = b""
    decided = first = False
    for chunk in chunks:
        if decided:
            yield chunk
            continue
        held += chunk
        if len(held) < _DECIDING_BYTES and not first:
            continue
        first = True
        if held.isascii():
            yield held
            held = b""
        elif len(held) - _first_wide(held) >= _DECIDING_BYTES:
            decided = True
            yield held
            held = b""
    if held:
        yield held


def _first_wide(data: bytes) -> int:
    return len(data) - len(data.lstrip(_ASCII))


def _decode_piece(decoder: codecs.IncrementalDecoder | None, chunk: bytes, position: int, *, final: bool) -> str:
    try:
        text = chunk.decode("ascii") if decoder is None else decoder.decode(chunk, final)
    except UnicodeDecodeError as error:
        raise refuse(
            f"约第 {position + error.start} 字节处的文字不符合前文的编码，文件可能损坏。请另存为 UTF-8。",
            f"Near byte {position + error.start} the text is not in the encoding of what comes before; the file may be damaged. "
            "Save it as UTF-8.",
        ) from None
    if "\0" in text:
        raise refuse("文本里有空字节，文件可能损坏。", "The text contains null bytes; the file may be damaged.")
    return text
