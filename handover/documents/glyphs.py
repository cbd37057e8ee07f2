"""Characters that the product's fonts can't draw are printed as their code point, never as an empty box.

Two rare names would otherwise look alike on paper; and PDF/A (ISO 19005-3, 6.2.11.8) forbids the box.
"""

from pathlib import Path

from fontTools.ttLib import TTFont

#: In the order of the style sheet's font list; the second is the machine's and may be absent.
_FONTS = ("NotoSansSC-Regular.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
#: Shown by nothing: breaks, the joiners, and the sixteen variation selectors, which only pick a form.
_NO_GLYPH_NEEDED = {0x9, 0xA, 0xD, 0x200B, 0x200C, 0x200D, *range(0xFE00, 0xFE10)}


def drawable(html: str, folder: Path) -> str:
    """The page with characters that no font in `folder` has replaced by `[U+…]`; ASCII needs no look."""
    wanted = {ord(c) for c in set(html)} - _NO_GLYPH_NEEDED
    for font in _FONTS:
        wanted -= _characters(folder / font)
    return html.translate({point: f"[U+{point:04X}]" for point in wanted if point > 0x7F})


def _characters(path: Path) -> set[int]:
    if not path.is_file():
        return set()
    with TTFont(path, lazy=True) as font:
        # No names of glyphs: they would take several times as long as the rest, and nothing here reads them.
        font.setGlyphOrder([])
        return set(font.getBestCmap())
