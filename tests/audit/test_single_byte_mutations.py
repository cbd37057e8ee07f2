"""A thousand single-byte mutations each of an export, a checkpoint and both kinds of proof: none is accepted."""

import io
import random
from collections.abc import Callable, Iterator

import pytest

from handover.audit import AuditVerificationError
from handover.audit.export import read_lines
from handover.audit.proofs import (
    ConsistencyProof,
    InclusionProof,
    encode_proof,
    verify_consistency,
    verify_inclusion,
)
from handover.audit.verify import verify_export
from handover.crypto import merkle
from tests.audit.logs import CASES, HONEST, ORIGIN, Log

LOG = Log.honest(7, (3, 7))
KEYS = HONEST.public
NEWEST, OLDER = LOG.checkpoint(7), LOG.checkpoint(3)


def _range(start: int, end: int) -> list[bytes]:
    return LOG.leaves[start:end]


INCLUSION = InclusionProof(
    origin=ORIGIN,
    index=4,
    size=7,
    leaf=LOG.leaves[4].hex(),
    path=tuple(node.hex() for node in merkle.inclusion_proof(4, 7, _range)),
)
CONSISTENCY = ConsistencyProof(
    origin=ORIGIN,
    old_size=3,
    new_size=7,
    path=tuple(node.hex() for node in merkle.consistency_proof(3, 7, _range)),
)


def mutations(data: bytes, count: int) -> Iterator[bytes]:
    chooser = random.Random(len(data))
    for _ in range(count):
        place, change = chooser.randrange(len(data)), chooser.randrange(1, 256)
        yield data[:place] + bytes([data[place] ^ change]) + data[place + 1 :]


def export(data: bytes) -> object:
    return verify_export(read_lines(io.BytesIO(data)), checkpoints=[OLDER], keys=KEYS)


def checkpoint(data: bytes) -> object:
    try:
        note = data.decode()
    except UnicodeDecodeError as error:
        raise AuditVerificationError("not text", "checkpoint_malformed") from error
    return verify_inclusion(encode_proof(INCLUSION), note, KEYS)


def inclusion(data: bytes) -> object:
    return verify_inclusion(data, NEWEST, KEYS, entry=LOG.entries[4])


def consistency(data: bytes) -> object:
    return verify_consistency(data, OLDER, NEWEST, KEYS)


SUBJECTS = {
    "export": (export, b"".join(LOG.lines())),
    "case export": (export, b"".join(LOG.lines(CASES[0]))),
    "checkpoint": (checkpoint, NEWEST.encode()),
    "inclusion": (inclusion, encode_proof(INCLUSION)),
    "consistency": (consistency, encode_proof(CONSISTENCY)),
}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_thousand_single_byte_mutations_are_refused(subject: str):
    verify: Callable[[bytes], object]
    verify, data = SUBJECTS[subject]
    verify(data)
    for mutated in mutations(data, 1000):
        with pytest.raises(AuditVerificationError):
            verify(mutated)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_truncation_and_trailing_byte_is_refused(subject: str):
    verify, data = SUBJECTS[subject]
    for changed in (data + b"\n", data + b" ", data + data, b"", *(data[: len(data) * k // 60] for k in range(60))):
        with pytest.raises(AuditVerificationError):
            verify(changed)
