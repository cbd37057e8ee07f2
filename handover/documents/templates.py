"""Pages from templates: autoescaped, sandboxed, without globals; values print through `printing.shown` alone."""

import base64
import io
from functools import cache
from typing import Any

import msgspec
import segno
from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from handover import __version__
from handover.documents.document import TEMPLATE_VERSION, Document
from handover.documents.printing import both_zones, digest, shown
from handover.i18n import Text
from handover.resources import data_folder

#: PAdES baseline level, as it is said on the page.
LEVELS = {
    "B-B": Text("PAdES B-B，无时间戳；时间来自服务器时钟", "PAdES B-B, no timestamp; the time is the server's own"),
    "B-T": Text("PAdES B-T，含 RFC 3161 时间戳", "PAdES B-T, with an RFC 3161 timestamp"),
}


def page(document: Document, twin_sha256: str, level: str = "B-B") -> str:
    """The HTML of a document; its kind's own template where there is one, otherwise the frame alone."""
    environment = _environment()
    template = environment.select_template([f"{document.kind}.html", "base.html"])
    return template.render(
        document=document,
        twin_sha256=twin_sha256,
        level=LEVELS[level],
        software=f"handover {__version__}",
        template_version=TEMPLATE_VERSION,
        qr=_qr(f"{document.verification_url}?sha256={twin_sha256}"),
        css=Markup(_style()),
    )


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(data_folder("templates") / "documents"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.clear()
    environment.globals.update(label=label, is_text=is_text)
    environment.filters.update(both_zones=both_zones, shown=shown, digest=digest, columns=columns)
    return environment


@cache
def _labels() -> dict[str, Text]:
    data = (data_folder("templates") / "documents" / "labels.toml").read_bytes()
    return msgspec.toml.decode(data, type=dict[str, Text])


@cache
def _style() -> str:
    return (data_folder("templates") / "documents" / "document.css").read_text()


def label(name: str) -> Text:
    """What a fact is called; a fact without a label is shown by its own name."""
    plain = name.replace("_", " ")
    return _labels().get(name, Text(plain, plain))


def is_labelled(name: str) -> bool:
    """Whether a name has a label of its own."""
    return name in _labels()


def is_text(value: Any) -> bool:
    """Whether a fact is one sentence in both languages, and nothing besides."""
    return isinstance(value, dict) and value.keys() == {"zh", "en"}


def columns(rows: list[dict[str, Any]]) -> list[str]:
    """Every key of the rows, in the order in which they first come: no value is left out or put under another's head."""
    return list(dict.fromkeys(name for row in rows for name in row))


def _qr(text: str) -> str:
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", scale=3, border=0)
    return "data:image/svg+xml;base64," + base64.b64encode(out.getvalue()).decode()
