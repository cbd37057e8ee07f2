"""What a mail says, and its two parts from the templates: plain text, and HTML with every value escaped."""

import datetime as dt
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from handover.i18n import Language, Text
from handover.i18n.catalogue import catalogue
from handover.resources import data_folder

Kind = Literal["your_turn", "reminder", "declined", "job_failed"]
#: Times are told as the parties live them, with the zone beside.
_ZONE = ZoneInfo("Asia/Shanghai")
#: Characters that turn the direction of what follows; an isolate ends their reach with the name.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do or to know; `by` is the moment until which."""

    what: Text
    by: dt.datetime | None = None


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """All that a mail holds: nothing else gets into one."""

    kind: Kind
    #: The recipient's own name.
    name: str
    language: Language
    reference: str
    items: list[Item]
    #: The page on which it is done.
    url: str
    #: Whom to ask, by name.
    contact: str = ""


class Written(msgspec.Struct, frozen=True):
    """A mail as it is kept and sent."""

    address: str
    language: Language
    subject: str
    text: str
    html: str


def write(letter: Letter, address: str) -> Written:
    """The letter in its reader's language."""
    environment = _environment(letter.language)
    html = environment.get_template(f"{letter.kind}.html").render(letter=letter)
    text = environment.get_template(f"{letter.kind}.txt").render(letter=letter)
    return Written(address, letter.language, _subject(letter), text, html)


def _subject(letter: Letter) -> str:
    _ = catalogue(letter.language).gettext
    subjects = {
        "your_turn": _("Case %(reference)s: it is your turn"),
        "reminder": _("Case %(reference)s: a date comes near"),
        "declined": _("Case %(reference)s: an agreement was declined"),
        "job_failed": _("Case %(reference)s: a background job failed"),
    }
    return subjects[letter.kind] % {"reference": letter.reference}


@cache
def _environment(language: Language) -> Environment:
    made = Environment(
        loader=FileSystemLoader(data_folder("templates") / "mail"),
        autoescape=select_autoescape(enabled_extensions=("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    words = catalogue(language)
    made.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.globals.update(lang="zh-CN" if language == "zh" else "en")
    made.filters.update(text=lambda value: value.in_language(language), moment=_moment, isolated=_isolated, bdi=_bdi)
    return made


def _moment(value: dt.datetime) -> str:
    return f"{value.astimezone(_ZONE):%Y-%m-%d %H:%M} UTC+8"


def _isolated(name: str) -> str:
    """A name for plain text: with characters that turn its direction in it, between marks that end their reach."""
    return f"\u2068{name}\u2069" if _TURNING & set(name) else name


def _bdi(name: str) -> Markup:
    """A name for HTML, escaped, in an element that ends the reach of its direction."""
    return Markup("<bdi>{}</bdi>").format(name)
