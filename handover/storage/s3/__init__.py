"""Blobs in a bucket of any S3 store, shared by as many machines as write there (docs/adr/0010-s3.md)."""

from handover.storage.s3.store import S3Storage

__all__ = ["S3Storage"]
