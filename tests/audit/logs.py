"""A log in memory: real entries, real signatures, and everything that a forger can do to its export."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

from handover.audit.entry import decode_entry, encode_entry, make_entry
from handover.audit.export import Header, write_export
from handover.crypto import merkle
from handover.crypto.checkpoint import Checkpoint, sign_checkpoint
from handover.crypto.note import Ed25519Signer, MldsaSigner, NoteKey

ORIGIN = "example.org/handover/log"
CASES = (str(UUID(int=1 << 100)), str(UUID(int=2 << 100)))


@dataclass(frozen=True)
class Keys:
    """A log's two signing keys, from a seed so that examples are the same on every run."""

    seed: bytes

    @property
    def signers(self) -> tuple[Ed25519Signer, MldsaSigner]:
        raw = hashlib.sha256(self.seed).digest()
        return (
            Ed25519Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(raw)),
            MldsaSigner(ORIGIN, MLDSA65PrivateKey.from_seed_bytes(raw)),
        )

    @property
    def public(self) -> tuple[NoteKey, NoteKey]:
        ed25519, mldsa = self.signers
        return ed25519.key, mldsa.key


HONEST, FORGER = Keys(b"honest"), Keys(b"forger")


def entry(index: int, note: str = "") -> bytes:
    """The bytes of entry `index`; entries belong to two cases in turn, every fifth to none."""
    return encode_entry(
        make_entry(
            index=index,
            time=f"2026-01-02T03:04:{index % 60:02}.000001Z",
            actor="system",
            role="system",
            on_behalf_of=None,
            case=None if index % 5 == 4 else CASES[index % 2],
            entity="package",
            entity_id=str(UUID(int=index)),
            event="package.released",
            from_state="attested",
            to_state="released",
            gates=(),
            reason=None,
            details={"note": note, "records": index},
            request=f"request-{index}",
            random=hashlib.sha256(b"random %d" % index).hexdigest()[:32],
        )
    )


def renumbered(entries: Sequence[bytes]) -> list[bytes]:
    """The same entries, each claiming the index at which it stands."""
    decoded = [decode_entry(data) for data in entries]
    return [encode_entry(msgspec.structs.replace(one, index=index)) for index, one in enumerate(decoded)]


@dataclass(frozen=True)
class Log:
    """Entries, the sizes at which checkpoints were signed, and with which keys."""

    entries: list[bytes]
    sizes: tuple[int, ...]
    keys: Keys = HONEST
    #: Leaf hashes and notes as an honest log wrote them; a forger who does not rehash leaves them alone.
    leaves: list[bytes] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def honest(cls, count: int, sizes: tuple[int, ...]) -> "Log":
        return cls([entry(index) for index in range(count)], sizes).rehashed().signed()

    def rehashed(self) -> "Log":
        return replace(self, leaves=[merkle.leaf_hash(data) for data in self.entries])

    def signed(self) -> "Log":
        return replace(self, notes=[self.checkpoint(size) for size in self.sizes if size <= len(self.leaves)])

    def checkpoint(self, size: int) -> str:
        root = merkle.root(self.leaves[:size])
        return sign_checkpoint(Checkpoint(ORIGIN, size, root), self.keys.signers).decode()

    def header(self, case: str | None = None) -> Header:
        vkeys = tuple(key.vkey for key in self.keys.public)
        return Header(origin=ORIGIN, size=len(self.leaves), root=merkle.root(self.leaves).hex(), case=case, keys=vkeys)

    def lines(self, case: str | None = None) -> list[bytes]:
        shown = [e if case in (None, decode_entry(e).case) else None for e in self.entries]
        return list(write_export(self.header(case), self.notes, zip(shown, self.leaves, strict=True)))
