"""`s3://bucket/prefix?endpoint=…&region=…&addressing=…`: where a bucket is. Credentials are never part of it."""

import ipaddress
import os
import re
from typing import Self
from urllib.parse import parse_qsl, urlsplit

import msgspec

from handover.settings import SettingsError

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_OPTIONS = ("endpoint", "region", "addressing")
_SETTING = "HANDOVER_STORAGE_URL"


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A checked address. `prefix` is empty or ends in a slash."""

    bucket: str
    prefix: str
    endpoint: str | None
    region: str
    addressing: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Reads an address; what it leaves open comes from AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_REGION, AWS_DEFAULT_REGION.

        Raises:
            SettingsError: says what is wrong without repeating the address, in case somebody put a secret there.
        """
        parts = urlsplit(url)
        options = dict(pairs := parse_qsl(parts.query, keep_blank_values=True))
        if "@" in parts.netloc or ":" in parts.netloc:
            raise _wrong("it holds credentials or a port; they belong into AWS_* variables and ?endpoint=")
        if not _BUCKET.fullmatch(parts.netloc):
            raise _wrong("it must name a bucket: s3://bucket or s3://bucket/prefix")
        if (prefix := parts.path.strip("/")) and not _PREFIX.fullmatch(prefix):
            raise _wrong("the prefix takes letters, digits, . _ - and slashes between them")
        if set(options) - set(_OPTIONS) or len(pairs) != len(options) or parts.fragment:
            raise _wrong(f"it takes {', '.join(_OPTIONS)} behind the ?, each once")
        addressing = options.get("addressing", "auto")
        if addressing not in {"auto", "path", "virtual"}:
            raise _wrong("addressing is path or virtual")
        endpoint = (
            options.get("endpoint") or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        )
        return cls(
            bucket=parts.netloc,
            prefix=f"{prefix}/" if prefix else "",
            endpoint=_checked(endpoint) if endpoint else None,
            region=options.get("region")
            or os.environ.get("AWS_REGION")
            or os.environ.get("AWS_DEFAULT_REGION")
            or "us-east-1",
            addressing=addressing,
        )


def _checked(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    try:
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise _wrong("the endpoint cannot be read") from None
    if parts.scheme not in {"http", "https"} or not host or parts.username or parts.query or parts.fragment:
        raise _wrong("the endpoint is https://host or https://host:port, without credentials")
    if parts.scheme == "http" and not _is_loopback(host):
        raise _wrong(
            "the endpoint needs https, except on this machine; a certificate authority of yours goes into AWS_CA_BUNDLE"
        )
    return endpoint.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _wrong(what: str) -> SettingsError:
    return SettingsError(f"{_SETTING}: {what}", setting=_SETTING)
