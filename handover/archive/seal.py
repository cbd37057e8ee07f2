"""Builds a package: manifest, signatures, ZIP and encryption in one pass over the content, at constant memory.

Everything about a file is known before its first byte, so the manifest comes first and all offsets are fixed. A build
that was killed starts over with a new file key; the key is never stored.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import BinaryIO

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from isal.isal_zlib import crc32

from handover.archive import manifest as manifest_format
from handover.archive import names
from handover.archive.errors import ArchiveError
from handover.archive.manifest import (
    Exclusion,
    FileLine,
    FilesHead,
    Manifest,
    PackageHead,
    RecipientHead,
    SignersHead,
    WorkflowHead,
)
from handover.archive.package import (
    FILES,
    MANIFEST,
    MLDSA_SIGNATURE,
    README,
    RECEIPT_KEY,
    SSH_SIGNATURE,
    Package,
    Progress,
)
from handover.archive.texts import readme
from handover.archive.zipformat import DEFLATED, STORED, Member
from handover.archive.zipwriter import ZipWriter, archive_size
from handover.crypto import mldsa, sshsig
from handover.crypto.age import Writer, ciphertext_size, parse_recipient
from handover.crypto.age.stream import ByteSink


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One file to pack: facts that were determined when it was stored, and where its bytes come from.

    `content()` gives chunks of the file, or of its raw deflate stream when `deflated_size` is set. It is called once.
    """

    path: str
    size: int
    sha256: str
    crc32: int
    content: Callable[[], Iterable[bytes]]
    media_type: str
    level: str = ""
    records: int = 0
    redaction: str = ""
    deflated_size: int | None = None

    @property
    def member(self) -> Member:
        """Its record in the archive."""
        if self.deflated_size is None:
            return Member(self.path, self.crc32, self.size, self.size, STORED)
        return Member(self.path, self.crc32, self.size, self.deflated_size, DEFLATED)

    def line(self) -> FileLine:
        """Its line in FILES.jsonl, with a new salt."""
        return FileLine(
            path=self.path,
            size=self.size,
            sha256=self.sha256,
            media_type=self.media_type,
            level=self.level,
            records=self.records,
            redaction=self.redaction,
            salt=manifest_format.new_salt(),
        )


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the manifest says beyond the files; `persons` counts distinct persons over all of them."""

    package: PackageHead
    persons: int = 0
    exclusions: tuple[Exclusion, ...] = ()
    workflow: WorkflowHead = WorkflowHead()
    audit_checkpoint: str = ""


class SigningKeys(msgspec.Struct, frozen=True):
    """The builder's signing keys; the service has both, a standalone package may have one or none."""

    ed25519: Ed25519PrivateKey | None = None
    mldsa65: MLDSA65PrivateKey | None = None


class SealResult(msgspec.Struct, frozen=True, kw_only=True):
    """What is recorded about a finished package; digests are hex."""

    manifest: bytes
    manifest_sha256: str
    files_jsonl: bytes
    files_root: str
    files_count: int
    files_size: int
    records: int
    persons: int
    header_sha256: str
    stanza_kinds: tuple[str, ...]
    receipt_key: str
    ciphertext_sha256: str
    size: int


class Sealed:
    """A package that was written, with its file key until `verify_written` has used it."""

    def __init__(self, result: SealResult, file_key: bytes) -> None:
        self.result = result
        self._file_key: bytes | None = file_key

    def verify_written(self, source: BinaryIO, progress: Progress | None = None) -> None:
        """Decrypts what was really written and checks every hash in it; afterwards the file key is dropped.

        Raises:
            ArchiveError, CryptoError: the file is not what was built; discard it.
        """
        if self._file_key is None:
            raise ArchiveError("the file key of this package is gone: it can be verified once")
        written = Package(source, file_key=self._file_key)
        if written.manifest_bytes != self.result.manifest or written.header.sha256 != self.result.header_sha256:
            raise ArchiveError("the written file holds another package than the one that was built")
        if tuple(stanza.type for stanza in written.header.stanzas) != self.result.stanza_kinds:
            raise ArchiveError("the written file has other recipients than the ones it was built for")
        written.verify_content(progress)
        self._file_key = None


class Plan:
    """A package before it is written: its manifest is final, its size known."""

    def __init__(
        self,
        entries: Sequence[Entry],
        *,
        recipients: Sequence[str],
        facts: Facts,
        keys: SigningKeys | None = None,
    ) -> None:
        self._keys = keys or SigningKeys()
        self._entries = entries
        self._recipients = list(recipients)
        self._kinds = tuple(parse_recipient(recipient).kind for recipient in recipients)
        _check_paths(entries)
        receipt = sshsig.generate()
        self._receipt_private = sshsig.private_to_openssh(receipt)
        self._receipt_public = sshsig.public_line(receipt.public_key().public_bytes_raw())
        self._lines = [entry.line() for entry in entries]
        self._files_jsonl = manifest_format.encode_lines(self._lines)
        self.manifest = self._manifest(facts)
        self._head = self._head_files()
        self.plain_size = archive_size([*(_member(name, data) for name, data in self._head), *self._members()])

    def ciphertext_size(self, header_size: int) -> int:
        """Size of the finished file."""
        return ciphertext_size(self.plain_size, header_size)

    def write(self, sink: ByteSink, progress: Progress | None = None) -> Sealed:
        """Writes the package.

        Raises:
            KeyFormatError: recipients of different kinds.
            SourceChangedError: the content is not what its entry says.
        """
        writer = Writer(sink, self._recipients, hashed=True)
        kinds = tuple(stanza.type for stanza in writer.header.stanzas)
        if kinds != self._kinds:
            raise ArchiveError(f"the header names {kinds}, not the recipients {self._kinds}")
        archive = ZipWriter(writer)
        for name, data in self._head:
            archive.add(_member(name, data), [data])
        done = 0
        for entry in self._entries:
            archive.add(entry.member, _watched(entry.content(), done, self.manifest.files.size, progress))
            done += entry.size
        archive.close()
        writer.close()
        if archive.size != self.plain_size or writer.size != self.ciphertext_size(writer.header_size):
            raise ArchiveError("the package has another size than planned")
        return Sealed(self._result(writer), writer.file_key)

    def _manifest(self, facts: Facts) -> Manifest:
        ed25519, mldsa65 = self._keys.ed25519, self._keys.mldsa65
        return Manifest(
            package=facts.package,
            files=FilesHead(
                count=len(self._lines),
                size=sum(line.size for line in self._lines),
                records=sum(line.records for line in self._lines),
                persons=facts.persons,
                root=manifest_format.files_root(self._files_jsonl),
                sha256=sha256(self._files_jsonl).hexdigest(),
            ),
            recipient=RecipientHead(
                self._kinds[0] if self._kinds else "",
                ",".join(manifest_format.recipient_fingerprint(recipient) for recipient in self._recipients),
            ),
            exclusions=list(facts.exclusions),
            workflow=facts.workflow,
            audit_checkpoint=facts.audit_checkpoint,
            receipt_key=self._receipt_public,
            signers=SignersHead(
                sshsig.fingerprint(ed25519.public_key().public_bytes_raw()) if ed25519 else "",
                mldsa.fingerprint(mldsa65.public_key()) if mldsa65 else "",
            ),
        )

    def _head_files(self) -> list[tuple[str, bytes]]:
        manifest = self.manifest.encode()
        head = [(README, readme()), (MANIFEST, manifest)]
        if self._keys.ed25519:
            head.append((SSH_SIGNATURE, sshsig.sign(self._keys.ed25519, manifest_format.NAMESPACE, manifest)))
        if self._keys.mldsa65:
            head.append((MLDSA_SIGNATURE, mldsa.sign(self._keys.mldsa65, manifest_format.NAMESPACE, manifest)))
        return [*head, (FILES, self._files_jsonl), (RECEIPT_KEY, self._receipt_private)]

    def _members(self) -> Iterator[Member]:
        return (entry.member for entry in self._entries)

    def _result(self, writer: Writer) -> SealResult:
        manifest = self.manifest.encode()
        files = self.manifest.files
        return SealResult(
            manifest=manifest,
            manifest_sha256=sha256(manifest).hexdigest(),
            files_jsonl=self._files_jsonl,
            files_root=files.root,
            files_count=files.count,
            files_size=files.size,
            records=files.records,
            persons=files.persons,
            header_sha256=writer.header_sha256,
            stanza_kinds=self._kinds,
            receipt_key=self._receipt_public,
            ciphertext_sha256=writer.ciphertext_sha256,
            size=writer.size,
        )


def seal(
    entries: Sequence[Entry],
    *,
    recipients: Sequence[str],
    facts: Facts,
    sink: ByteSink,
    keys: SigningKeys | None = None,
    progress: Progress | None = None,
) -> Sealed:
    """Plans and writes a package; call `verify_written` on what was stored before telling anyone of it."""
    return Plan(entries, recipients=recipients, facts=facts, keys=keys).write(sink, progress)


def _check_paths(entries: Sequence[Entry]) -> None:
    taken = names.UniquePaths()
    for entry in entries:
        names.check_path(entry.path)
        taken.add(entry.path)


def _member(name: str, data: bytes) -> Member:
    return Member(name, crc32(data), len(data), len(data), STORED)


def _watched(chunks: Iterable[bytes], done: int, total: int, progress: Progress | None) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk
        done = min(done + len(chunk), total)
        if progress:
            progress(done, total)
