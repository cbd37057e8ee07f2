"""Key ring and encrypted blobs (package-format.md, Data at rest). Nothing outside reads a blob's plaintext but through here."""

from handover.vault.blobs import BlobSink, SealedBlob
from handover.vault.errors import (
    AlreadyInitialisedError,
    ForeignBlobError,
    KeyDestroyedError,
    KeyMismatchError,
    KeyMissingError,
    KeyringDamagedError,
    NotInitialisedError,
    VaultError,
    VaultSealedError,
)
from handover.vault.keyring import Destruction, Keyring
from handover.vault.ring import CopyBinding, Tombstone
from handover.vault.vault import Vault

__all__ = [
    "AlreadyInitialisedError",
    "BlobSink",
    "CopyBinding",
    "Destruction",
    "ForeignBlobError",
    "KeyDestroyedError",
    "KeyMismatchError",
    "KeyMissingError",
    "Keyring",
    "KeyringDamagedError",
    "NotInitialisedError",
    "SealedBlob",
    "Tombstone",
    "Vault",
    "VaultError",
    "VaultSealedError",
]
