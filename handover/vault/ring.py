"""The content of the key ring: wrapped secrets, public recipients, tombstones, under one MAC of the master key.

A secret is wrapped by ChaCha20-Poly1305 with the place it belongs to as associated data: installation, key id, kind,
case, copy, role, level, generation. Recipients are readable without the master key, for writers who must not read.
"""

import datetime as dt
import hmac
import uuid
from hashlib import sha256
from typing import Literal

import msgspec

from handover.crypto import aead
from handover.vault import master
from handover.vault.errors import KeyringDamagedError, VaultSealedError

VERSION = 1
KeyKind = Literal["symmetric", "age", "signing"]
_WRAP = b"handover-ring-wrap-v1"
_MAC = b"handover-ring-mac-v1"


class CopyBinding(msgspec.Struct, frozen=True, kw_only=True):
    """The copy that an identity is for; part of what its wrapping authenticates."""

    case: uuid.UUID | None
    copy: uuid.UUID
    role: str
    level: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One key; `wrapped` opens with the master key of this generation in this place only."""

    key_id: str
    kind: KeyKind
    created_at: dt.datetime
    wrapped: bytes
    recipient: str | None = None
    binding: CopyBinding | None = None


class Tombstone(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stays of a destroyed key: that it was, when it went, and which master keys stood before and after."""

    key_id: str
    at: dt.datetime
    generation: int
    master_sha256_before: str
    master_sha256_after: str


class Ring(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`generation` counts master keys, `revision` writes of the ring."""

    version: int
    installation: str
    generation: int
    revision: int
    master_sha256: str
    entries: tuple[Entry, ...] = ()
    tombstones: tuple[Tombstone, ...] = ()


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    mac: str


def encode(ring: Ring, key: bytes) -> bytes:
    """A head line with the MAC, then the ring as JSON."""
    body = msgspec.json.encode(ring)
    return msgspec.json.encode(_Head(VERSION, _mac(key, body))) + b"\n" + body


def decode(data: bytes) -> Ring:
    """The ring of a file, its MAC unchecked: see `check`.

    Raises:
        KeyringDamagedError: not a key ring of this version.
    """
    head, _, body = data.partition(b"\n")
    try:
        if msgspec.json.decode(head, type=_Head).version != VERSION:
            raise KeyringDamagedError("the key ring is of a version that this software does not know; use a newer one")
        return msgspec.json.decode(body, type=Ring)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise KeyringDamagedError("the key ring is not readable: it was altered or cut short") from error


def check(data: bytes, ring: Ring, key: bytes) -> None:
    """Raises unless `key` is the ring's master key and wrote exactly these bytes.

    Raises:
        VaultSealedError: it is another master key.
        KeyringDamagedError: the ring was altered.
    """
    if master.digest(key) != ring.master_sha256:
        raise VaultSealedError("the vault is sealed: the master key given is not the one that this key ring needs")
    head, _, body = data.partition(b"\n")
    if not hmac.compare_digest(msgspec.json.decode(head, type=_Head).mac, _mac(key, body)):
        raise KeyringDamagedError("the key ring was altered by someone who does not hold the master key")


def wrap(key: bytes, ring: Ring, entry: Entry, secret: bytes) -> Entry:
    """The entry with its secret wrapped for the ring's generation."""
    sealed = aead.seal(_subkey(key, _WRAP), secret, _place(ring, entry))
    return msgspec.structs.replace(entry, wrapped=sealed)


def unwrap(key: bytes, ring: Ring, entry: Entry) -> bytes:
    """The secret of an entry. Raises SealedValueError when it was moved or altered."""
    return aead.unseal(_subkey(key, _WRAP), entry.wrapped, _place(ring, entry))


def _place(ring: Ring, entry: Entry) -> tuple[str | int, ...]:
    bound = entry.binding
    copy = (str(bound.case or ""), str(bound.copy), bound.role, bound.level) if bound else ("", "", "", "")
    return ("key", ring.installation, entry.key_id, entry.kind, *copy, ring.generation)


def _subkey(key: bytes, label: bytes) -> bytes:
    return hmac.digest(key, label, "sha256")


def _mac(key: bytes, body: bytes) -> str:
    return hmac.new(_subkey(key, _MAC), body, sha256).hexdigest()
