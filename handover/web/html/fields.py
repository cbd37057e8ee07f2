"""Fields of an HTML form, decoded into the same Structs as JSON bodies; every field's error is found, not the first only."""

from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec
from litestar.enums import RequestEncodingType
from litestar.params import Body
from msgspec import UNSET, Struct
from msgspec.structs import fields as fields_of

from handover.i18n import Language
from handover.i18n.catalogue import catalogue

T = TypeVar("T", bound=Struct)

#: What a handler of a form takes: `data: FORM`; a form with files in it is read by `parts.read_form`.
FORM = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]
Fields = dict[str, Any]


class FilledForm(Struct, kw_only=True):
    """A form as it is shown again: what was typed, what is wrong with each field, and with the whole."""

    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    summary: str = ""
    gates: list[Any] = []
    status: int = 200

    def value(self, name: str, default: Any = "") -> Any:
        return self.values.get(name, default)


def decode(values: Fields, kind: type[T], language: Language) -> T | dict[str, str]:
    """The Struct, or an error for each field that does not fit it."""
    found: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for field in fields_of(kind):
        raw = _raw(values.get(field.encode_name, UNSET), field.type)
        if raw is UNSET:
            if field.required:
                errors[field.encode_name] = catalogue(language).gettext("Please fill this in")
            continue
        try:
            found[field.name] = raw if isinstance(raw, bytes) else msgspec.convert(raw, field.type, strict=False)
        except msgspec.ValidationError as error:
            errors[field.encode_name] = _explain(str(error), language)
    return errors or kind(**found)


def _raw(value: Any, kind: Any) -> Any:
    """What the browser sent, without the differences between an empty field and none, a box ticked and not."""
    if _is(kind, bool):
        return value not in (UNSET, "", "false", "0")
    if _holds_many(kind):
        return [] if value is UNSET else value if isinstance(value, list) else [value]
    if isinstance(value, list):
        value = value[-1]
    if isinstance(value, str):
        value = value.replace("\r\n", "\n").strip()
        return UNSET if value == "" else value
    return value


def _is(kind: Any, wanted: type) -> bool:
    return kind is wanted or wanted in get_args(kind)


def _holds_many(kind: Any) -> bool:
    origin = get_origin(kind)
    return origin in (list, tuple) or (origin is Annotated and _holds_many(get_args(kind)[0]))


def _explain(message: str, language: Language) -> str:
    _ = catalogue(language).gettext
    if "length <=" in message:
        limit = message.rpartition("<= ")[2].split()[0].rstrip("`")
        return _("This is too long: at most %s characters") % limit
    if "length >=" in message:
        return _("This is too short")
    if "`date`" in message or "date" in message.lower():
        return _("This is not a date like 2026-01-31")
    if "`int`" in message:
        return _("This takes a whole number")
    return _("This is not of the expected form")
