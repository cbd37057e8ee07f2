"""The only place that turns storage into plaintext.

Small values are sealed to their place (installation, key, table and column, row), blobs are age files for the
post-quantum identity of their copy. With a key's destruction everything it sealed is gone from this installation;
copies of keys or disks made earlier outside the register, and remanence on disks, are not excluded.
"""

import datetime as dt
import hmac
import resource
import uuid
from collections.abc import Collection
from hashlib import sha256
from typing import Any, BinaryIO, Self

from handover.crypto import aead, age, canonical
from handover.errors import InvalidInputError
from handover.settings import Settings
from handover.storage import Storage, open_storage
from handover.vault.blobs import BlobSink, SealedBlob, open_blob
from handover.vault.errors import KeyMismatchError, NotInitialisedError
from handover.vault.keyring import Destruction, Keyring
from handover.vault.ring import CopyBinding, Entry

# One secret serves several uses; each gets a key of its own derived from it.
_COLUMN = b"handover-column-v1"
_DIGEST = b"handover-digest-v1"


#: In the data directory while an installation is being made; a half-made one must not be used.
INITIALISING = ".initialising"


class Vault:
    """Seals and opens; every method raises VaultSealedError without the master key."""

    def __init__(self, keyring: Keyring, storage: Storage) -> None:
        self.keyring, self.storage = keyring, storage

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """The vault of an installation; a rotation that was cut off is finished or undone.

        A sealed vault opens too: it refuses each use, until the master key is put back.

        Raises:
            NotInitialisedError: there is no key ring, or its making was cut off.
            SettingsError: others may read the ring.
        """
        forbid_core_dumps()
        if (settings.data_dir / INITIALISING).exists():
            raise NotInitialisedError(
                f"{settings.data_dir} was not finished: its initialisation was cut off; run handover init again"
            )
        keyring = Keyring(settings.keyring_dir, settings.master_key_file)
        keyring.recover()
        return cls(keyring, open_storage(settings.storage_url, settings.spool_dir))

    @property
    def installation(self) -> str:
        """The installation's id."""
        return self.keyring.installation

    def check(self) -> None:
        """Raises VaultSealedError unless the vault can be used: for readiness checks."""
        self.keyring.check()

    # Small values

    def seal_text(self, key_id: str, text: str, *, field: str, row: uuid.UUID) -> bytes:
        """`text` sealed to one field of one row; `field` is "table.column"."""
        return self._seal(key_id, _utf8(text), field, row)

    def open_text(self, key_id: str, sealed: bytes, *, field: str, row: uuid.UUID) -> str:
        """Inverse of `seal_text`. Raises SealedValueError for a value that was sealed elsewhere or altered."""
        return self._open(key_id, sealed, field, row).decode()

    def seal_json(self, key_id: str, value: Any, *, field: str, row: uuid.UUID) -> bytes:
        """As `seal_text`, of the canonical JSON of `value`."""
        return self._seal(key_id, canonical.encode(value), field, row)

    def open_json(self, key_id: str, sealed: bytes, *, field: str, row: uuid.UUID) -> Any:
        """Inverse of `seal_json`, in builtin types."""
        return canonical.decode_strict(self._open(key_id, sealed, field, row))

    def digest(self, key_id: str, kind: str, value: str) -> str:
        """Hex HMAC-SHA-256 of a value of a kind: equal values match, and nobody without the key can guess them."""
        message = _utf8(kind) + b"\0" + _utf8(value)
        return hmac.new(self._subkey(key_id, _DIGEST), message, sha256).hexdigest()

    # Keys

    def create_secret(self, key_id: str) -> None:
        """A new random 32-byte secret; one that exists is kept."""
        if self.keyring.has(key_id):
            self._entry(key_id, "symmetric")
        else:
            self.keyring.add(key_id, "symmetric", aead.new_key())

    def create_copy(self, key_id: str, binding: CopyBinding) -> str:
        """A new post-quantum age identity for one copy; returns its recipient. One that exists for it is kept."""
        identity = age.generate_identity(post_quantum=True)
        entry = self.keyring.add(
            key_id, "age", identity.encode(), recipient=age.recipient_of(identity), binding=binding
        )
        return _recipient(entry)

    def has(self, key_id: str) -> bool:
        """Whether a live key has this id."""
        return self.keyring.has(key_id)

    def was_destroyed(self, key_id: str) -> bool:
        """Whether a key with this id was destroyed."""
        return any(stone.key_id == key_id for stone in self.keyring.tombstones())

    def keys_of_case(self, case_id: uuid.UUID) -> set[str]:
        """Live keys of a case: its own secrets, and the identities of its copies."""
        bound = {key for key in self.keyring.key_ids() if (found := self.binding(key)) and found.case == case_id}
        return bound | {key for key in self.keyring.key_ids() if key.startswith(f"case:{case_id}:")}

    def binding(self, key_id: str) -> CopyBinding | None:
        """The copy that an identity is bound to."""
        return self.keyring.entry(key_id).binding

    def secret(self, key_id: str) -> bytes:
        """The 32 bytes of `create_secret`, for a child process that needs them; let go of them soon."""
        self._entry(key_id, "symmetric")
        return self.keyring.secret(key_id)

    def destroy(self, key_ids: Collection[str], at: dt.datetime | None = None) -> Destruction:
        """Destroys keys and the master key that wrapped them. Repeating it answers as the first time.

        Raises:
            KeyMissingError: an id that never was; nothing was destroyed.
        """
        return self.keyring.destroy(key_ids, at)

    # Blobs

    def writer(self, key_id: str) -> BlobSink:
        """A `with` block that stores what is written to it, encrypted for this copy; then read its `blob`."""
        return BlobSink(self.storage, _recipient(self._entry(key_id, "age")))

    def reader(self, key_id: str, blob: SealedBlob, *, binding: CopyBinding | None = None) -> BinaryIO:
        """The plaintext of a blob, seekable; `binding` demands that the key is that copy's.

        Raises:
            ForeignBlobError, BlobMissingError, KeyMismatchError, CryptoError
        """
        entry = self._entry(key_id, "age")
        if binding is not None and entry.binding != binding:
            raise KeyMismatchError(f"key {key_id} belongs to another copy than the one asked for")
        return open_blob(self.storage, blob, self.keyring.secret(key_id).decode())

    def delete_blob(self, blob_key: str) -> None:
        """Removes a blob; one that is gone already is no error."""
        self.check()
        self.storage.delete(blob_key)

    def blob_exists(self, blob_key: str) -> bool:
        """Whether the store has a blob under this key."""
        self.check()
        return self.storage.exists(blob_key)

    def _seal(self, key_id: str, value: bytes, field: str, row: uuid.UUID) -> bytes:
        return aead.seal(self._subkey(key_id, _COLUMN), value, self._place(key_id, field, row))

    def _open(self, key_id: str, sealed: bytes, field: str, row: uuid.UUID) -> bytes:
        return aead.unseal(self._subkey(key_id, _COLUMN), sealed, self._place(key_id, field, row))

    def _place(self, key_id: str, field: str, row: uuid.UUID) -> tuple[str | int, ...]:
        return ("column", self.keyring.installation, key_id, field, str(row))

    def _subkey(self, key_id: str, label: bytes) -> bytes:
        return hmac.digest(self.keyring.secret(key_id), label, "sha256")

    def _entry(self, key_id: str, kind: str) -> Entry:
        entry = self.keyring.entry(key_id)
        if entry.kind != kind:
            raise KeyMismatchError(f"key {key_id} is of the kind {entry.kind}; this needs one of the kind {kind}")
        return entry


def forbid_core_dumps() -> None:
    """A crash must not write keys and records to a file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _recipient(entry: Entry) -> str:
    if entry.recipient is None:
        raise KeyMismatchError(f"key {entry.key_id} has no recipient")
    return entry.recipient


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError("the text holds half of a surrogate pair, which no UTF-8 text can hold") from error
