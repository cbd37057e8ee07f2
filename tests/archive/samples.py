"""A small package with every kind of content, and the keys that sign it."""

import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from zlib import compressobj, crc32

from handover.archive.head import Facts, SigningKeys
from handover.archive.manifest import Exclusion, PackageHead, WorkflowHead
from handover.archive.seal import Entry, Sealed, seal
from handover.crypto import mldsa, sshsig
from handover.crypto.age import generate_identity
from handover.crypto.signers import Signer
from handover.crypto.trust import Trust

KEYS = SigningKeys(sshsig.generate(), mldsa.generate())
assert KEYS.ed25519 is not None
assert KEYS.mldsa65 is not None
SIGNER = Signer("packages@handover", KEYS.ed25519.public_key().public_bytes_raw(), ("handover-manifest@v1",))
TRUST = Trust((SIGNER,), KEYS.mldsa65.public_key())
IDENTITY = generate_identity()
FACTS = Facts(
    package=PackageHead(
        number="P-7", purpose="closing", case="C-1", built_at="2026-11-23T00:00:00Z", software="handover test"
    ),
    persons=3,
    exclusions=(Exclusion("no_consent", 2),),
    workflow=WorkflowHead("package", 1, "00" * 32),
    audit_checkpoint="log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
)
FILES = {
    "files/客户/资料.csv": "姓名,电话\r\n𠮷野,13800000000\r\n".encode() * 20_000,
    "files/notes.txt": b"hello",
    "files/empty.bin": b"",
    "files/random.bin": os.urandom(200_000),
}


def entry(path: str, data: bytes, *, deflate: bool = False) -> Entry:
    body = _deflated(data) if deflate else data
    return Entry(
        path=path,
        size=len(data),
        sha256=sha256(data).hexdigest(),
        crc32=crc32(data),
        content=lambda: [body[i : i + 50_000] for i in range(0, len(body), 50_000)],
        media_type="application/octet-stream",
        level="L3",
        records=2,
        deflated_size=len(body) if deflate else None,
    )


def _deflated(data: bytes) -> bytes:
    packer = compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def entries() -> list[Entry]:
    return [entry(path, data, deflate=path.endswith((".csv", ".bin"))) for path, data in FILES.items()]


def build(path: Path, recipients: Sequence[str], keys: SigningKeys = KEYS) -> Sealed:
    with path.open("w+b") as sink:
        sealed = seal(entries(), recipients=recipients, facts=FACTS, sink=sink, keys=keys)
        sealed.verify_written(sink)
    return sealed
