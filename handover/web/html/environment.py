"""Templates of pages: autoescaped, in one language, with the few filters by which values are shown."""

import datetime as dt
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import segno
from babel import numbers
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from handover.documents.templates import label
from handover.i18n import Language, Text
from handover.i18n.catalogue import catalogue
from handover.resources import data_folder
from handover.web.html.static import address
from handover.workflow.roles import ROLES

#: Times are shown where the parties are; the element carries UTC, and the zone is printed.
ZONE = ZoneInfo("Asia/Shanghai")
_LOCALES = {"zh": "zh_CN", "en": "en"}


@cache
def environment(language: Language) -> Environment:
    """The templates in one language."""
    made = Environment(
        loader=FileSystemLoader(data_folder("templates") / "web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    words = catalogue(language)
    made.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.globals.update(static=address, lang=language)
    made.tests["holding"] = lambda roles, *wanted: any(role in roles for role in wanted)
    made.filters.update(
        moment=moment,
        day=day,
        number=lambda value: numbers.format_decimal(value, locale=_LOCALES[language]),
        size=size,
        label=lambda name: (ROLES.get(str(name)) or label(str(name))).in_language(language),
        choices=lambda names, prefix="": [(n, label(f"{prefix}{n}").in_language(language)) for n in names],
        text=lambda value: in_language(value, language),
        qr=qr,
    )
    return made


def in_language(value: Any, language: Language) -> str:
    """One sentence out of a Text, or out of its form as JSON."""
    if isinstance(value, Text):
        return value.in_language(language)
    return str(value.get(language, "")) if isinstance(value, dict) else str(value)


def moment(value: dt.datetime | str | None) -> Markup:
    """`<time>` with UTC inside, and the parties' zone as text."""
    if value is None:
        return Markup("—")
    at = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    shown = at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M")
    exact = at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Markup('<time datetime="{}">{} <span class="zone">UTC+8</span></time>').format(exact, escape(shown))


def day(value: dt.date | str | None) -> Markup:
    if value is None:
        return Markup("—")
    shown = value if isinstance(value, str) else value.isoformat()
    return Markup('<time datetime="{0}">{0}</time>').format(shown[:10])


def qr(text: str) -> str:
    """A QR code as the address of an image: dark on white in both themes, with the quiet zone that cameras need."""
    made: str = segno.make(text, error="m", micro=False).svg_data_uri(scale=4, border=4, light="#fff")
    return made


def size(count: int | None) -> str:
    """A number of bytes as people say it."""
    if count is None:
        return "—"
    value, unit = float(count), "B"
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
