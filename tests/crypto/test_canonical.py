"""Canonical JSON is one byte string per value, as RFC 8785 writes it, and nothing else decodes."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handover.crypto import canonical
from handover.crypto.errors import CanonicalError

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
KEYS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]))
NUMBERS = st.integers(-canonical.MAX_INTEGER, canonical.MAX_INTEGER)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXT),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


class Sample(msgspec.Struct):
    b: int
    a: str


def _rfc8785(value: Any) -> bytes:
    """The standard library, with the key order and the escapes that RFC 8785 demands."""
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be"))
        return b"{" + b",".join(_rfc8785(key) + b":" + _rfc8785(member) for key, member in members) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(_rfc8785, value)) + b"]"
    return json.dumps(value, ensure_ascii=False).encode()


@given(VALUES)
def test_encoding_is_that_of_rfc_8785_and_roundtrips(value: Any) -> None:
    data = canonical.encode(value)
    assert data == _rfc8785(value)
    assert canonical.decode_strict(data) == value


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), 2**53, -(2**53), {1: 2}, {"\U0001f600": 1}, b"x", {"a": {1, 2}}, "\ud800", [[1.5]], object()],
)
def test_values_without_a_canonical_form_are_refused(value: Any) -> None:
    with pytest.raises(CanonicalError):
        canonical.encode(value)


def test_deep_nesting_is_refused() -> None:
    value: list[Any] = []
    for _ in range(100):
        value = [value]
    with pytest.raises(CanonicalError):
        canonical.encode(value)
    with pytest.raises(CanonicalError):
        canonical.decode_strict(b"[" * 100_000)


@pytest.mark.parametrize(
    "data",
    [
        b'{"b":1,"a":2}',
        b'{"a": 2}',
        b'{"a":2}\n',
        b'{"a":2,"a":2}',
        b'{"a":2.0}',
        b'{"a":1e3}',
        b'"\\u0041"',
        b'"\\/"',
        b"-0",
        b"01",
        b"9007199254740992",
        b'"\xff"',
        b"\xef\xbb\xbf1",
        b"",
        b"nul",
    ],
)
def test_bytes_in_another_form_are_refused(data: bytes) -> None:
    with pytest.raises(CanonicalError):
        canonical.decode_strict(data)


def test_struct_decodes_from_its_exact_keys_only() -> None:
    assert canonical.decode_strict(b'{"a":"x","b":1}', Sample) == Sample(1, "x")
    for data in (b'{"a":"x","b":1,"c":2}', b'{"a":"x"}', b'{"b":1,"a":"x"}', b'{"a":"x","a":"x","b":1}'):
        with pytest.raises(CanonicalError):
            canonical.decode_strict(data, Sample)
