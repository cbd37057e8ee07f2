"""Opaque bytes under opaque keys: written once, whole or not at all. What the bytes mean is the vault's business."""

from handover.storage.base import (
    BlobExistsError,
    BlobMissingError,
    BlobTooLargeError,
    BlobWriter,
    ForeignStorageError,
    Storage,
    StorageFullError,
    StorageUnavailableError,
    VersionsKeptError,
    new_blob_key,
    open_storage,
)

__all__ = [
    "BlobExistsError",
    "BlobMissingError",
    "BlobTooLargeError",
    "BlobWriter",
    "ForeignStorageError",
    "Storage",
    "StorageFullError",
    "StorageUnavailableError",
    "VersionsKeptError",
    "new_blob_key",
    "open_storage",
]
