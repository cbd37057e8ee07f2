"""An entry's form: one encoding, nothing but narrow ASCII, and a reason only as a digest."""

import datetime as dt
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handover.audit import AuditEntryError, reason_digest
from handover.audit.entry import decode_entry, encode_entry, entry_time, make_entry
from handover.crypto.errors import CanonicalError
from tests.audit.logs import entry

FIELDS = json.loads(entry(3))
words = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
values = st.integers(-(2**53) + 1, 2**53 - 1) | st.from_regex(r"[g-z][A-Za-z0-9 ._:+/=,-]{0,40}", fullmatch=True)


def make(**changes: object) -> bytes:
    fields = {"from_state": "attested", "to_state": "released"} | FIELDS | {"gates": ()} | changes
    return encode_entry(make_entry(**{k: v for k, v in fields.items() if k not in {"from", "to", "version"}}))


@given(st.dictionaries(words, values, max_size=32), words, words | st.none())
def test_the_bytes_are_what_any_json_writer_gives_with_sorted_keys_and_no_spaces(details, entity, role):
    data = make(details=details, entity=entity, role=role)
    assert data.isascii()
    assert json.dumps(json.loads(data), sort_keys=True, separators=(",", ":")).encode() == data
    assert encode_entry(decode_entry(data)) == data


@given(st.text(min_size=1))
def test_a_reason_is_a_salted_digest_that_its_text_and_salt_prove(text):
    salt = "0123456789abcdef" * 2
    expected = hashlib.sha256(b"handover-reason@v1\n" + bytes.fromhex(salt) + text.encode()).hexdigest()
    assert reason_digest(text, salt) == expected
    assert reason_digest(text, "f" + salt[1:]) != expected


@pytest.mark.parametrize("salt", ["", "ab", "ab" * 15])
def test_a_reason_with_too_little_salt_is_refused(salt):
    with pytest.raises(AuditEntryError):
        reason_digest("short", salt)


@pytest.mark.parametrize(
    "change",
    [
        {"index": -1},
        {"index": 2**53},
        {"time": "2026-01-02T03:04:05Z"},
        {"time": "2026-13-02T03:04:05.000000Z"},
        {"actor": "Wang Xiaoming"},
        {"case": FIELDS["case"].replace("-", "")},
        {"entity_id": "7\n"},
        {"event": "released"},
        {"event": "Package.released"},
        {"event": "package.released\n"},
        {"request": "192.0.2.1 GET /"},
        {"random": "00"},
        {"reason": "0" * 63},
        {"details": {f"k{n}": n for n in range(33)}},
    ],
)
def test_a_field_of_another_form_is_refused(change):
    with pytest.raises(AuditEntryError):
        make(**change)


def test_an_entry_without_a_field_or_with_another_version_is_not_read():
    for changed in (
        {**FIELDS, "version": 2},
        {**FIELDS, "ip": "x"},
        {k: v for k, v in FIELDS.items() if k != "to"},
    ):
        with pytest.raises(CanonicalError):
            decode_entry(json.dumps(changed, sort_keys=True, separators=(",", ":")).encode())


def test_times_are_utc_with_six_digits():
    moment = dt.datetime(2026, 1, 2, 11, 4, 5, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    assert entry_time(moment) == "2026-01-02T03:04:05.000000Z"
