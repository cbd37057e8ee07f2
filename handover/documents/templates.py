"""Pages from templates: autoescaped, sandboxed, and user text always isolated, so that it can only ever be text."""

import base64
import datetime as dt
import io
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import segno
from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from handover.documents.document import Document
from handover.i18n import Text
from handover.resources import data_folder

_SHANGHAI = ZoneInfo("Asia/Shanghai")
_DIGEST_GROUP = 8
_SHA256_HEX = 64


def page(document: Document, twin_sha256: str) -> str:
    """The HTML of a document; its kind's own template where there is one, otherwise the frame alone."""
    environment = _environment()
    template = environment.select_template([f"{document.kind}.html", "base.html"])
    return template.render(
        document=document,
        twin_sha256=twin_sha256,
        qr=_qr(f"{document.verification_url}#{twin_sha256}"),
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
    environment.globals["label"] = label
    environment.filters.update(both_zones=both_zones, shown=shown, digest=digest)
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


def both_zones(moment: dt.datetime | str) -> str:
    """A time in UTC and in Shanghai."""
    at = dt.datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC · {at.astimezone(_SHANGHAI):%Y-%m-%d %H:%M:%S} Asia/Shanghai"


def digest(value: str) -> Markup:
    """A hex digest in groups that eyes can compare."""
    groups = [value[i : i + _DIGEST_GROUP] for i in range(0, len(value), _DIGEST_GROUP)]
    return Markup('<span class="digest">{}</span>').format(Markup("&#8203;").join(groups))


def shown(value: Any) -> Markup:
    """A value as text: digests grouped, yes and no in words, everything else isolated from the text around it."""
    if value is None or value == "":
        return Markup("—")
    if isinstance(value, bool):
        return Markup("是 yes" if value else "否 no")
    text = str(value)
    if len(text) == _SHA256_HEX and all(c in "0123456789abcdef" for c in text):
        return digest(text)
    return Markup("<bdi>{}</bdi>").format(escape(text))


def _qr(text: str) -> str:
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", scale=3, border=0)
    return "data:image/svg+xml;base64," + base64.b64encode(out.getvalue()).decode()
