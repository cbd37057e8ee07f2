"""Lines of a text that arrives in pieces. Only LF, CR LF and CR end a line: U+2028 and the like are content."""

import io
from collections.abc import Iterable, Iterator

from handover.formats.errors import refuse

#: A longer line is a damaged file (or one that is no text); it would be held in memory whole.
MAX_LINE = 16 * 1024 * 1024


def lines(pieces: Iterable[str]) -> Iterator[str]:
    """Lines, each with a newline where it had any of the three ends.

    Raises:
        FormatRefusedError: a line is longer than `MAX_LINE`.
    """
    rest = ""
    for piece in pieces:
        text = rest + piece
        held = ""
        if "\r" in text:
            if text.endswith("\r"):
                text, held = text[:-1], "\r"
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        whole = text.rfind("\n") + 1
        rest = text[whole:] + held
        if len(rest) > MAX_LINE:
            raise refuse(
                f"有一行超过 {MAX_LINE >> 20} MiB，文件可能损坏。",
                f"A line is longer than {MAX_LINE >> 20} MiB; the file may be damaged.",
            )
        yield from io.StringIO(text[:whole], newline="\n")
    if rest:
        yield rest[:-1] + "\n" if rest.endswith("\r") else rest
