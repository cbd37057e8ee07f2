"""The published age test vectors (C2SP CCTV): outcome, and what was released before a failure."""

import hashlib
import io
import zlib
from pathlib import Path

import pytest

from handover.crypto.age import Passphrase, Reader
from handover.crypto.errors import (
    ArmorError,
    CryptoError,
    HeaderError,
    HeaderMacError,
    NoMatchError,
    PayloadError,
)

_PLACE = Path("shared", "vectors", "cctv-age", "testdata")
VECTORS = next((found for above in Path(__file__).parents if (found := above / _PLACE).is_dir()), _PLACE)
OUTCOMES = {
    "no match": NoMatchError,
    "HMAC failure": HeaderMacError,
    "header failure": HeaderError,
    "payload failure": PayloadError,
    "armor failure": ArmorError,
}
NAMES = sorted(path.name for path in VECTORS.iterdir()) if VECTORS.is_dir() else []


def _load(name: str) -> tuple[dict[str, list[str]], bytes]:
    head, _, body = (VECTORS / name).read_bytes().partition(b"\n\n")
    fields: dict[str, list[str]] = {}
    for line in head.decode().splitlines():
        key, _, value = line.partition(": ")
        fields.setdefault(key, []).append(value)
    if fields.get("compressed") == ["zlib"]:
        body = zlib.decompress(body)
    return fields, body


def _outcome(fields: dict[str, list[str]], body: bytes) -> tuple[type[CryptoError] | None, bytes]:
    keys = [*fields.get("identity", []), *map(Passphrase, fields.get("passphrase", []))]
    released = bytearray()
    try:
        reader = Reader(io.BytesIO(body), keys, armored=fields.get("armored") == ["yes"])
        while part := reader.read(100_000):
            released += part
    except CryptoError as error:
        return type(error), bytes(released)
    return None, bytes(released)


@pytest.mark.skipif(not NAMES, reason="the published vectors are not beside this checkout")
@pytest.mark.parametrize("name", NAMES or ["-"])
def test_published_vector_has_its_outcome(name: str) -> None:
    fields, body = _load(name)
    error, released = _outcome(fields, body)
    (expected,) = fields["expect"]
    if expected == "success":
        assert error is None
    else:
        assert error is not None
        assert issubclass(error, OUTCOMES[expected])
    if "payload" in fields:
        assert hashlib.sha256(released).hexdigest() == fields["payload"][0]
    else:
        assert released == b""
