"""A document before it is rendered: the common block and the facts, from which page and twin are both made."""

import datetime as dt
from typing import Any

import msgspec

from handover import __version__
from handover.crypto import canonical
from handover.i18n import Text

TEMPLATE_VERSION = 1
TWIN_NAME = "facts.json"
CHECKPOINT_NAME = "checkpoint.txt"


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """An object that the document is about, by id and digest."""

    kind: str
    id: str
    sha256: str


class GateLine(msgspec.Struct, frozen=True, kw_only=True):
    """A gate that guarded what is attested: passed, and the conditions that nobody computed."""

    code: str
    name: str
    passed: bool
    overridden: bool
    not_checked: list[Text]


class Signatory(msgspec.Struct, frozen=True, kw_only=True):
    """Who acted, in which role, when, and at which level of signature."""

    name: str
    role: Text
    at: str
    level: str


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is printed, in JSON types; times are ISO 8601 in UTC."""

    kind: str
    number: str
    issue: int
    title: Text
    case: str
    structure: str
    state: str
    issuer: str
    issued_at: dt.datetime
    facts: dict[str, Any]
    covered: list[Covered]
    gates: list[GateLine]
    legal: list[str]
    signatories: list[Signatory]
    not_proven: list[Text]
    verification_url: str
    checkpoint: str
    demo: bool
    supersedes: str | None = None
    #: Unified social credit code of the issuer, where the case knows it.
    issuer_uscc: str | None = None
    #: Only for agreements: the text that was signed.
    text: dict[str, Any] | None = None

    def twin(self) -> bytes:
        """The machine-readable twin: the same facts as canonical JSON."""
        plain = msgspec.to_builtins(self)
        plain["issued_at"] = self.issued_at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        plain["software"] = f"handover {__version__}"
        plain["template_version"] = TEMPLATE_VERSION
        return canonical.encode({name: value for name, value in plain.items() if name != "checkpoint"})


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """A finished document: signed, read back and checked."""

    pdf: bytes
    twin: bytes
    sha256: str
    twin_sha256: str
    #: PAdES baseline level: B-B, or B-T with a timestamp.
    level: str
