"""docs/audit-log.md is true: its bytes, hashes and keys are those of its example, and its verifier works."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from handover.audit import AuditVerificationError, reason_digest
from handover.audit.entry import decode_entry
from handover.audit.verify import verify_export
from handover.crypto import merkle
from handover.crypto.note import parse_vkeys

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = (DOCS / "audit-log.md").read_text(encoding="utf-8")
EXPORT = (DOCS / "audit-log/example.jsonl").read_bytes().splitlines(keepends=True)
KEPT = (DOCS / "audit-log/example-checkpoint.txt").read_text(encoding="utf-8")
VKEYS = (DOCS / "audit-log/log.vkey").read_text(encoding="utf-8")
ENTRIES = [line[9:-76] for line in EXPORT[3:]]


def block(kind: str) -> str:
    found = re.search(rf"```{kind}\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    return found[1]


def verifier() -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(block("python"), "docs/audit-log.md", "exec"), names)  # noqa: S102 - our own documentation
    return names


def test_the_example_verifies_and_shows_every_kind_of_line():
    keys = parse_vkeys(VKEYS)
    verified = verify_export(EXPORT, checkpoints=[KEPT], keys=keys)
    assert (verified.size, verified.checkpoints, verified.kept, verified.pinned) == (3, (2, 3), (2,), True)
    lines = (DOCS / "audit-log/example-case.jsonl").read_bytes().splitlines(keepends=True)
    assert verify_export(lines, checkpoints=[KEPT], keys=keys).hidden == 1


def test_the_entry_and_hashes_in_the_text_are_those_of_the_example():
    assert block("json").encode() == ENTRIES[1] + b"\n"
    leaves = [merkle.leaf_hash(entry) for entry in ENTRIES]
    left = merkle.node_hash(leaves[0], leaves[1])
    named = [*leaves, left, merkle.node_hash(left, leaves[2])]
    assert [line.split()[-1] for line in block("text").splitlines()] == [value.hex() for value in named]
    assert f'"checkpoint":"{block("checkpoint")}'.replace("\n", "\\n").encode() in EXPORT[2]


def test_the_keys_in_the_text_are_those_of_the_example():
    ed25519, mldsa = parse_vkeys(VKEYS)
    expected = [
        (ed25519.key_id.hex(), ed25519.public.hex()),
        (mldsa.key_id.hex(), hashlib.sha256(mldsa.public).hexdigest()),
    ]
    assert [(line.split()[0], line.split()[-1]) for line in block("keys").splitlines()] == expected


def test_the_reason_in_the_text_is_that_of_the_example():
    digest = reason_digest("agreed on the telephone", "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf")
    assert decode_entry(ENTRIES[2]).reason == digest
    assert digest in TEXT


def test_the_table_names_every_member_of_an_entry():
    table = TEXT[TEXT.index("| member |") : TEXT.index("A *word*")]
    members = {name for row in table.split("\n|") for name in re.findall(r"`(\w+)`", row.split("|")[0])}
    assert members == set(json.loads(ENTRIES[1]))


def test_the_verifier_in_the_text_accepts_the_example_and_agrees_about_forgeries():
    verify, vkeys = verifier()["verify"], VKEYS.split()
    assert [leaf.hex() for leaf in verify(EXPORT, [KEPT], vkeys)] == [merkle.leaf_hash(e).hex() for e in ENTRIES]
    forgeries = (
        EXPORT[:-1],
        [*EXPORT[:3], EXPORT[4], EXPORT[3], EXPORT[5]],
        [*EXPORT[:4], EXPORT[4].replace(b'"failures":3', b'"failures":4'), EXPORT[5]],
        [*EXPORT[:4], EXPORT[5]],
    )
    for forged in forgeries:
        with pytest.raises(AuditVerificationError):
            verify_export(forged, checkpoints=[KEPT], keys=parse_vkeys(VKEYS))
        with pytest.raises(AssertionError):
            verify(forged, [KEPT], vkeys)
