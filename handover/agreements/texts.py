"""Agreement texts: bilingual templates, filled once; what is signed is the digest of both language versions."""

import hashlib
from functools import cache
from typing import Any

import msgspec

from handover.crypto import canonical
from handover.errors import InvalidInputError
from handover.i18n import Text
from handover.resources import data_folder

KINDS = ("nda", "entrustment", "undertaking", "closing_confirmation")


class Clause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One numbered clause in both languages."""

    heading: Text
    zh: str
    en: str


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A template; `fields` must be given when an agreement is drafted."""

    kind: str
    version: int
    title: Text
    fields: list[str]
    clauses: list[Clause]


@cache
def template(kind: str) -> Template:
    """The template of a kind.

    Raises:
        InvalidInputError: there is none.
    """
    if kind not in KINDS:
        raise InvalidInputError(f"the kind is one of: {', '.join(KINDS)}", field="kind")
    data = (data_folder("templates") / "agreements" / f"{kind}.toml").read_bytes()
    return msgspec.toml.decode(data, type=Template)


def missing_fields(kind: str, fields: dict[str, str]) -> list[str]:
    return [name for name in template(kind).fields if not fields.get(name, "").strip()]


def fill(kind: str, fields: dict[str, str], *, levels: list[str], years: int, parties: list[str]) -> dict[str, Any]:
    """The text as it will be shown and signed; user text is inserted literally, never interpreted."""
    chosen = template(kind)
    values = {
        **{name: fields.get(name, "") for name in chosen.fields},
        "levels": ", ".join(levels),
        "years": str(years),
    }

    def put(text: str) -> str:
        for name, value in values.items():
            text = text.replace("{" + name + "}", value)
        return text

    return {
        "kind": kind,
        "template_version": chosen.version,
        "title": {"zh": chosen.title.zh, "en": chosen.title.en},
        "parties": parties,
        "clauses": [
            {
                "number": number,
                "heading": {"zh": clause.heading.zh, "en": clause.heading.en},
                "zh": put(clause.zh),
                "en": put(clause.en),
            }
            for number, clause in enumerate(chosen.clauses, 1)
        ],
    }


def text_digest(text: dict[str, Any]) -> str:
    """SHA-256 of the canonical text in both languages: what a signer signs."""
    return hashlib.sha256(canonical.encode(text)).hexdigest()
