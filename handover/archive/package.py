"""A package as it is read: the order of the checks, and nothing trusted before its check.

1. The age header opens with an identity; the final chunk verifies, so the length is certain.
2. The ZIP is of the one form. 3. MANIFEST.json and FILES.jsonl are canonical, the archive holds exactly
what they list. 4. They belong together. 5. It was made for the identity in use. 6. The pinned keys signed it.
7. Each file has the size and SHA-256 of its line. Steps 1-5 run when a package is opened, 6 and 7 where asked for.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from itertools import chain
from typing import BinaryIO

import msgspec
from isal.isal_zlib import crc32

from handover.archive import manifest as manifest_format
from handover.archive.errors import (
    FileAlteredError,
    ManifestError,
    NotSignedError,
    UnknownPathError,
    WrongRecipientError,
    ZipFormatError,
)
from handover.archive.listing import Listed, Listing, Run, Totals, read_listing
from handover.archive.manifest import FileLine, FilesHead, Manifest
from handover.archive.zipformat import STORED, Member
from handover.archive.zipreader import Directory, ZipReader, other_checksum, split_stored
from handover.crypto import mldsa, sshsig
from handover.crypto.age import Passphrase, SeekableReader, identities_in, recipient_of
from handover.crypto.age.offsets import write_all
from handover.crypto.age.ranges import open_range
from handover.crypto.age.stream import workers
from handover.crypto.errors import SignatureError
from handover.crypto.signers import keys_for
from handover.crypto.trust import Trust

README = "README.txt"
MANIFEST = "MANIFEST.json"
SSH_SIGNATURE = "MANIFEST.json.sig"
MLDSA_SIGNATURE = "MANIFEST.json.mldsa"
FILES = "FILES.jsonl"
RECEIPT_KEY = "RECEIPT.key"
#: What stands before the content, in this order; the signatures are absent in an unsigned standalone package.
HEAD = (README, MANIFEST, SSH_SIGNATURE, MLDSA_SIGNATURE, FILES, RECEIPT_KEY)
_OPTIONAL = frozenset({SSH_SIGNATURE, MLDSA_SIGNATURE})
#: README, signatures and the receipt key are a few kilobytes each.
_MAX_SMALL = 1 << 18
_HASHED_ASIDE = 256 << 10
#: Bytes of small files that are read at once.
RUN = 256 << 10
#: Bytes of one file that are worth threads of their own.
_LONG = 2 << 20
#: Behind the last entry.
_NOTHING = (Member("", 0, 0, 0), 0)

#: `progress(done, total)` in bytes of content.
Progress = Callable[[int, int], None]


class SignedBy(msgspec.Struct, frozen=True):
    """Which pinned keys the manifest's signatures were verified against; empty: not pinned."""

    ed25519: str = ""
    mldsa65: str = ""

    @property
    def pinned(self) -> bool:
        """Whether the signer is known from outside the package."""
        return bool(self.ed25519 or self.mldsa65)


class Package:
    """An opened package over a seekable ciphertext; the source stays the caller's to close.

    Raises:
        HeaderError, NoMatchError, HeaderMacError, PayloadError: the encryption does not hold.
        ZipFormatError, ManifestError, UnsafePathError, WrongRecipientError: the content does not.
    """

    def __init__(
        self, source: BinaryIO, identities: Sequence[str | Passphrase] = (), *, file_key: bytes | None = None
    ) -> None:
        self._plain = plain = SeekableReader(source, identities, file_key=file_key)
        self._zip = ZipReader(plain)
        self.header = plain.header
        entries = self._zip.entries()
        self._head = _read_head(entries)
        self.manifest_bytes = self.head(MANIFEST)
        self.manifest: Manifest = manifest_format.decode_manifest(self.manifest_bytes)
        #: The files in order.
        self.files = Listing()
        self._read_listing(entries)
        self._check_recipient(identities)

    @property
    def manifest_sha256(self) -> str:
        """Hex SHA-256 of MANIFEST.json: what people release, and what a receipt names."""
        return sha256(self.manifest_bytes).hexdigest()

    @property
    def head_names(self) -> list[str]:
        """Names of the files beside the content, in order."""
        return list(self._head)

    def head(self, name: str) -> bytes:
        """One of the files in front, in memory; not for `FILES.jsonl`, which may be large."""
        limit = manifest_format.MAX_MANIFEST if name == MANIFEST else _MAX_SMALL
        return self._zip.read_whole(*self._head[name], limit)

    def head_blocks(self, name: str) -> Iterator[bytes]:
        """One of the files in front."""
        return self._zip.read(*self._head[name])

    def write_head(self, name: str, target: int) -> int:
        """Writes one of the files in front to the empty file `target`; returns its size."""
        return sum(write_all(target, block) for block in self.head_blocks(name))

    def lines(self) -> Iterator[FileLine]:
        """The lines of FILES.jsonl, read once more."""
        return chain.from_iterable(read_listing(self.head_blocks(FILES), Totals()))

    def number(self, path: str) -> int:
        """Which of `files` has this path; `files/` in front may be left out.

        Raises:
            UnknownPathError: the package lists no such file.
        """
        found = self.files.number(path)
        if found is None:
            raise UnknownPathError(f"{path}: the package lists no such file", path=path)
        return found

    def read(self, file: Listed) -> Iterator[bytes]:
        """The content of one file; it is the listed one only if the iterator ends without an error.

        Raises:
            FileAlteredError: size or SHA-256 differ from the line.
            DamagedChunkError: the ciphertext is damaged there.
        """
        digest, hashing = sha256(), None
        for block in self._zip.read(file.member, file.offset):
            if hashing is not None:
                hashing.result()
            # A thread hashes a large block while the next is opened; a small one is hashed sooner than handed over.
            hashing = workers().submit(digest.update, block) if len(block) >= _HASHED_ASIDE else None
            if hashing is None:
                digest.update(block)
            yield block
        if hashing is not None:
            hashing.result()
        if digest.digest() != file.sha256:
            raise _other_digest(file.member.path)

    def write(self, file: Listed, target: int) -> int:
        """Writes the content of one file to the empty file `target`; returns its size. Raises as `read`."""
        member = file.member
        if member.method != STORED or member.size < _LONG:
            return sum(write_all(target, block) for block in self.read(file))
        digest, checksum = sha256(), 0

        def show(part: memoryview) -> None:
            nonlocal checksum
            digest.update(part)
            checksum = crc32(part, checksum)

        open_range(self._plain.payload, self._zip.content_at(member, file.offset), member.size, target, show)
        if checksum != member.crc32:
            raise other_checksum(member.path)
        if digest.digest() != file.sha256:
            raise _other_digest(member.path)
        return member.size

    def runs(self) -> Iterator[range]:
        """The numbers of all files in order, in runs: those of more than one are for `read_run`."""
        return self.files.runs(RUN)

    def read_run(self, numbers: range) -> tuple[Run, bytes]:
        """Small files at once, each found to be the listed one: what is known of them, and their headers and content.

        Raises:
            DamagedChunkError: the ciphertext is damaged there.
            ZipFormatError, FileAlteredError: a header or content is another one.
        """
        run = self.files.run(numbers)
        data = self._zip.read_stored(run.begin, run.paths, run.sizes)
        found = split_stored(data, run.paths, run.checksums, run.sizes)
        for path, content, digest in zip(run.paths, found, run.digests, strict=True):
            if sha256(content).digest() != digest:
                raise _other_digest(path.decode())
        return run, data

    def read_raw(self, file: Listed) -> Iterator[bytes]:
        """What stands in the archive for one file, compressed or not; only its encryption and its header are checked."""
        return self._zip.read_raw(file.member, file.offset)

    def verify_content(self, progress: Progress | None = None) -> None:
        """Reads every byte of every file against its line, and everything in front of them."""
        self.verify_head()
        done = 0
        for run in self.runs():
            sizes = self.read_run(run)[0].sizes if len(run) > 1 else map(len, self.read(self.files[run[0]]))
            for size in sizes:
                done += size
                if progress:
                    progress(done, self.manifest.files.size)

    def verify_head(self) -> None:
        """Reads everything in front of the files against its checksum."""
        for name in self._head:
            for _ in self.head_blocks(name):
                pass

    def verify_signatures(self, trust: Trust) -> SignedBy:
        """Demands a signature by a pinned key for every kind of key that `trust` pins.

        Raises:
            NotSignedError: none is pinned, one is missing, by another key, or does not hold.
        """
        try:
            ed25519 = self._verify_ssh(keys_for(trust.signers, manifest_format.NAMESPACE)) if trust.signers else ""
            mldsa65 = self._verify_mldsa(trust) if trust.mldsa65 else ""
        except SignatureError as error:
            raise NotSignedError(f"the manifest is not signed by the expected key: {error.message}") from error
        signed = SignedBy(ed25519, mldsa65)
        if not signed.pinned:
            raise NotSignedError("the trust directory pins no key that signs manifests")
        if (signed.ed25519 and signed.ed25519 != self.manifest.signers.ed25519) or (
            signed.mldsa65 and signed.mldsa65 != self.manifest.signers.mldsa65
        ):
            raise NotSignedError("the manifest names other signers than the keys that signed it")
        return signed

    def _verify_ssh(self, allowed: list[bytes]) -> str:
        public = sshsig.verify(self._signature(SSH_SIGNATURE), manifest_format.NAMESPACE, self.manifest_bytes, allowed)
        return sshsig.fingerprint(public)

    def _verify_mldsa(self, trust: Trust) -> str:
        key = trust.mldsa65
        assert key is not None  # noqa: S101 - asked for only when pinned
        mldsa.verify(key, manifest_format.NAMESPACE, self.manifest_bytes, self._signature(MLDSA_SIGNATURE))
        return mldsa.fingerprint(key)

    def _signature(self, name: str) -> bytes:
        if name not in self._head:
            raise SignatureError(f"the package holds no {name}")
        return self.head(name)

    def _read_listing(self, entries: Directory) -> None:
        """The list beside the rest of the directory: both name the same files in the same order."""
        if self._head[FILES][0].size > manifest_format.MAX_FILES_JSONL:
            raise ZipFormatError(f"{FILES} is larger than such a file can be")
        totals = Totals()
        for lines in read_listing(self.head_blocks(FILES), totals):
            paths, sizes = [line.path.encode() for line in lines], [line.size for line in lines]
            if stored := entries.stored(paths, sizes):
                self.files.extend(paths, stored, [line.sha256 for line in lines])
                continue
            for line in lines:
                member, offset = next(entries, _NOTHING)
                if member.path != line.path:
                    raise _other_entries(line.path)
                if member.size != line.size:
                    raise FileAlteredError(line.path, f"its size is not the {line.size} bytes that FILES.jsonl lists")
                self.files.append(member, offset, line.sha256)
        for member, _ in entries:
            raise _other_entries(member.path)
        claimed, found = self.manifest.files, totals.head(self.manifest.files.persons)
        for name in FilesHead.__struct_fields__:
            if getattr(claimed, name) != getattr(found, name):
                raise ManifestError(f"FILES.jsonl is not the one that the manifest names: files.{name} differs")

    def _check_recipient(self, identities: Sequence[str | Passphrase]) -> None:
        """Refuses content that was signed for somebody else and encrypted again for this reader."""
        if self.manifest.recipient.kind != self.header.stanzas[0].type:
            raise ManifestError("the manifest names another kind of recipient than the header of the file")
        names = self.manifest.recipient.fingerprint.split(",")
        if len(names) != len(self.header.stanzas) or not all(re.fullmatch("[0-9a-f]{64}", name) for name in names):
            raise ManifestError("the manifest does not name as many recipients as the header of the file")
        strings = [one for entry in identities if isinstance(entry, str) for one in identities_in(entry)]
        own = {manifest_format.recipient_fingerprint(recipient_of(one)) for one in strings}
        if own and own.isdisjoint(names):
            raise WrongRecipientError(
                "the manifest was made for another recipient: somebody opened the package and encrypted it again"
            )


def _read_head(entries: Iterator[tuple[Member, int]]) -> dict[str, tuple[Member, int]]:
    """The entries in front of the content, in their one order."""
    head: dict[str, tuple[Member, int]] = {}
    member, offset = next(entries, _NOTHING)
    for name in HEAD:
        if member.path == name:
            head[name] = member, offset
            if name != HEAD[-1]:
                member, offset = next(entries, _NOTHING)
        elif name not in _OPTIONAL:
            raise _other_entries(name)
    return head


def _other_digest(path: str) -> FileAlteredError:
    return FileAlteredError(path, "its SHA-256 is not the one that FILES.jsonl lists: the file was altered")


def _other_entries(path: str) -> ZipFormatError:
    return ZipFormatError(f"the archive holds other entries than FILES.jsonl lists: {path}")
