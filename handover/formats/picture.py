"""PNG and JPEG: text is read off the picture and covered; all that is not the picture is inspected and left behind.

The output is encoded anew from the pixels as they are seen (turned upright, on white where transparent), so no EXIF, XMP,
IPTC, text chunk, thumbnail, profile or trailing data survives.
"""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from PIL import ExifTags, Image, ImageOps, PngImagePlugin

from handover.formats import ocr
from handover.formats.errors import FormatRefusedError, refuse
from handover.formats.records import Batch, Column, Edit, Notes, Table

#: An A4 page at 600 dpi has 35 megapixels; in colour that takes 105 MB.
MAX_PIXELS = 40_000_000
_MAX_TEXT = 200_000
_QUALITY = 90
#: The recogniser reads type that differs from its ground by this much of 255; with less in all of the picture it is stretched.
_FAINTEST = 24
#: EXIF, XMP, comment: their texts are fields of their own. Colour profiles hold none.
_READ_SEGMENTS = frozenset({"APP0", "APP1", "APP2", "APP14", "COM"})
_TAGS = re.compile(r"<[^>]*>")
_PRINTABLE = re.compile(rb"[\x20-\x7e\x80-\xff]{4,}")


def read(chunks: Iterable[bytes], kind: str, notes: Notes) -> Iterator[Batch]:
    """Fields `metadata.…` and `image`, a line a record.

    Raises:
        FormatRefusedError: damaged, too large, animated, or OCR is not installed.
    """
    picture, metadata = opened(b"".join(chunks), kind)
    notes.pages = 1
    lines = ocr.lines_in(picture)
    columns = [Column(name, values, range(len(values))) for name, values in metadata.items()]
    columns.append(Column("image", [line.text for line in lines], range(len(lines))))
    count = max(len(column.values) for column in columns)
    yield Batch(Table(), 0, count, columns, origin=(picture, lines))


def opened(data: bytes, kind: str) -> tuple[Image.Image, dict[str, list[str]]]:
    """The picture upright in RGB, and what is written in the file beside it.

    Raises:
        FormatRefusedError: damaged, too large or animated.
    """
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        with Image.open(io.BytesIO(data), formats=[kind.upper()]) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _too_large()
            if getattr(image, "n_frames", 1) > 1 and kind == "png":
                raise refuse("图片是动画，无法检查。", "The picture is animated and can't be inspected.")
            image.load()
            metadata = {name: values for name, values in _metadata(image).items() if values}
            picture = _flat(ImageOps.exif_transpose(image))
            shades = [shade for shade, count in enumerate(picture.convert("L").histogram()) if count]
            if shades[-1] - shades[0] < _FAINTEST:
                # Too faint to be read, and legible again to anyone who stretches it.
                picture = ImageOps.autocontrast(picture)
            # Pillow writes some of what it read (a JPEG's comment) into the next file by itself.
            picture.info = {}
            return picture, metadata
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large() from None
    except (OSError, ValueError, SyntaxError, EOFError, TypeError, IndexError, OverflowError):
        raise refuse("图片不完整或已损坏。", "The picture is cut short or damaged.") from None


def _too_large() -> FormatRefusedError:
    return refuse(
        f"图片超过 {MAX_PIXELS // 1_000_000} 百万像素。请缩小后再提供。",
        f"The picture has more than {MAX_PIXELS // 1_000_000} megapixels. Provide it smaller.",
    )


def _flat(image: Image.Image) -> Image.Image:
    """On white: what lies under transparent pixels was never seen."""
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        layer = image.convert("RGBA")
        base = Image.new("RGB", layer.size, "white")
        base.paste(layer, mask=layer.getchannel("A"))
        return base
    if image.mode.startswith("I"):
        # Pillow cuts greys of 16 bits off at 255 instead of scaling them.
        image = image.convert("I").point(lambda grey: grey * (1 / 256)).convert("L")
    return image if image.mode == "RGB" else image.convert("RGB")


def _metadata(image: Image.Image) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    exif = image.getexif()
    for tags in (exif, exif.get_ifd(ExifTags.IFD.Exif)):
        for tag, value in tags.items():
            if text := _text(value):
                found.setdefault(f"metadata.{ExifTags.TAGS.get(tag, 'exif')}", []).append(text)
    if place := _coordinates(exif.get_ifd(ExifTags.IFD.GPSInfo)):
        found["metadata.gps"] = [place]
    for key, value in image.info.items():
        if key in {"exif", "icc_profile", "transparency", "dpi", "jfif_density"}:
            continue
        name = "metadata.xmp" if "xmp" in str(key).lower() else "metadata.text"
        found.setdefault(name, []).extend(
            filter(None, (line.strip() for line in _TAGS.sub("\n", _text(value)).split("\n")))
        )
    for name, segment in getattr(image, "applist", []):
        if name in _READ_SEGMENTS:
            continue
        found.setdefault("metadata.segments", []).extend(
            part.decode("utf-8", "replace") for part in _PRINTABLE.findall(segment)
        )
    return found


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip("\0 ")[:_MAX_TEXT]
    return str(value)[:_MAX_TEXT] if isinstance(value, str | PngImagePlugin.iTXt) else ""


def _coordinates(ifd: dict[int, Any]) -> str:
    """The place in decimal degrees; empty when there is none."""
    gps = ExifTags.GPS
    try:
        latitude, longitude = (
            sum(float(part) / 60**power for power, part in enumerate(ifd[tag]))
            for tag in (gps.GPSLatitude, gps.GPSLongitude)
        )
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return ""
    south, west = ifd.get(gps.GPSLatitudeRef) == "S", ifd.get(gps.GPSLongitudeRef) == "W"
    return f"{-latitude if south else latitude:.6f},{-longitude if west else longitude:.6f}"


def encoded(picture: Image.Image, kind: str) -> bytes:
    """The pixels as a file."""
    buffer = io.BytesIO()
    if kind == "png":
        picture.save(buffer, "PNG")
    else:
        picture.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


class PictureWriter:
    """Covers hits and encodes the picture anew."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def write(self, batch: Batch, keep: Sequence[bool] | None = None) -> bytes:
        picture, lines = batch.origin
        column = batch.columns[-1]
        for index, line in enumerate(lines):
            kept = keep is None or keep[column.records[index]]
            ocr.cover(picture, line, column.changes(index) if kept else [Edit(0, len(line.text), "")])
        return encoded(picture, self._kind)

    def finish(self) -> bytes:
        return b""


PngWriter, JpegWriter = partial(PictureWriter, "png"), partial(PictureWriter, "jpeg")
