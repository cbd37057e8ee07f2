"""One entry of the log: its fields, its bytes, and the form that keeps personal data out of it.

An entry holds ids, states, counts and salted digests. Every string is ASCII of a narrow alphabet, so clear text,
e-mail addresses and quoted names cannot get in by mistake; what a caller writes in it remains the caller's duty.
The bytes are canonical JSON (RFC 8785); docs/audit-log.md describes them for other implementations.
"""

import datetime as dt
import hashlib
import ipaddress
import re
from typing import Any, Literal

import msgspec

from handover.audit.errors import AuditEntryError
from handover.crypto import canonical
from handover.crypto.errors import CanonicalError

#: 16 bytes make a leaf hash say nothing about an entry whose other fields could be guessed.
RANDOM_BYTES = 16
#: Enough for the widest entry there is (a version and digest for each of the machines); more would be a document.
MAX_DETAILS = 32
_REASON_DOMAIN = b"handover-reason@v1\n"

_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")
_RANDOM = re.compile(r"[0-9a-f]{32}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_WORD = re.compile(r"[a-z][a-z0-9_]{0,63}")
_EVENT = re.compile(r"(?=.{1,128}\Z)[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_GATE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_ -]{0,95}")
_REQUEST = re.compile(r"[A-Za-z0-9._:-]{1,64}")
#: Ids, digests, versions and words; no `@`, quotes or letters beyond ASCII, hence no addresses and no names in Chinese.
_DETAIL = re.compile(r"[A-Za-z0-9 ._:+/=,-]{0,256}")


class GateRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a gate said when the entry was made; `sha256` is the digest of the conditions it looked at."""

    gate: str
    passed: bool
    sha256: str

    def __post_init__(self) -> None:
        _match(_GATE, self.gate, "gates.gate")
        _match(_HEX_DIGEST, self.sha256, "gates.sha256")


class Entry(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"from_state": "from", "to_state": "to"},
):
    """One thing that happened. `reason` is a salted digest, `request` the id that the access log and answers carry."""

    #: Hashed into every leaf, so that a later form of entry can't be read as this one.
    version: Literal[1] = 1
    index: int
    time: str
    actor: str
    role: str | None
    on_behalf_of: str | None
    case: str | None
    entity: str
    entity_id: str | None
    event: str
    from_state: str | None
    to_state: str | None
    gates: tuple[GateRecord, ...]
    reason: str | None
    details: dict[str, str | int]
    request: str
    random: str

    def __post_init__(self) -> None:
        if self.index < 0:
            raise ValueError("index is negative")
        _match(_TIME, self.time, "time")
        dt.datetime.fromisoformat(self.time)
        if self.actor not in {"system", "anonymous"}:
            _match(_UUID, self.actor, "actor")
        for name in ("on_behalf_of", "case", "entity_id"):
            _match_optional(_UUID, getattr(self, name), name)
        for name in ("role", "from_state", "to_state"):
            _match_optional(_WORD, getattr(self, name), name)
        _match(_WORD, self.entity, "entity")
        _match(_EVENT, self.event, "event")
        _match_optional(_HEX_DIGEST, self.reason, "reason")
        _check_details(self.details)
        _match(_REQUEST, self.request, "request")
        _match(_RANDOM, self.random, "random")


def make_entry(**fields: Any) -> Entry:
    """An entry of checked form.

    Raises:
        AuditEntryError: names the field; the value is not repeated, it may be what must not be logged.
    """
    try:
        return Entry(**fields)
    except (TypeError, ValueError) as error:
        raise AuditEntryError(f"the audit entry {fields.get('event')!r} was refused: {error}") from error


def encode_entry(entry: Entry) -> bytes:
    """The canonical bytes, which are hashed as the leaf."""
    try:
        return canonical.encode(entry)
    except CanonicalError as error:
        raise AuditEntryError(f"the audit entry {entry.event!r} was refused: {error}") from error


def decode_entry(data: bytes) -> Entry:
    """Inverse of `encode_entry`.

    Raises:
        CanonicalError: not an entry, or not in its one encoding.
    """
    return canonical.decode_strict(data, Entry)


def entry_time(moment: dt.datetime) -> str:
    """UTC with six digits of microseconds and `Z`."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def reason_digest(text: str, salt: str) -> str:
    """SHA-256 over `handover-reason@v1\\n`, the salt's bytes and the text in UTF-8; text and salt stay with the case.

    `salt` is hex of at least 16 bytes: with less, a short reason could be guessed from its digest.
    """
    raw = bytes.fromhex(salt)
    if len(raw) < RANDOM_BYTES:
        raise AuditEntryError("the salt of a reason has at least 16 bytes")
    return hashlib.sha256(_REASON_DOMAIN + raw + text.encode()).hexdigest()


def _check_details(details: dict[str, str | int]) -> None:
    if len(details) > MAX_DETAILS:
        raise ValueError(f"details has more than {MAX_DETAILS} members")
    for key, value in details.items():
        _match(_WORD, key, "a key of details")
        if type(value) is int:
            continue
        _match(_DETAIL, value, f"details.{key}")
        if _is_network_address(str(value)):
            raise ValueError(f"details.{key} is a network address, and the log holds none")


def _is_network_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _match(pattern: re.Pattern[str], value: object, name: str) -> None:
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise ValueError(f"{name} is not of the form that the log allows")


def _match_optional(pattern: re.Pattern[str], value: object, name: str) -> None:
    if value is not None:
        _match(pattern, value, name)
