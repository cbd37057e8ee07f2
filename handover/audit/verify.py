"""Verifies an export offline, against pinned keys and checkpoints that someone else kept. Needs the base install only.

Guaranteed when it returns: the entries are, in number, order and every byte, those of the newest checkpoint in the
export, which is signed by every expected key and agrees with every kept checkpoint. Not covered: entries after the
largest kept checkpoint, if the log's signing keys were misused; and which hidden entries belong to the exported case.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, NoReturn, TypeVar

import msgspec

from handover.audit.errors import AuditVerificationError
from handover.audit.export import (
    CHECKPOINT_PREFIX,
    ENTRY_PREFIX,
    ENTRY_SUFFIX_SIZE,
    CheckpointLine,
    EntryLine,
    Header,
    HiddenLine,
)
from handover.audit.tree import AttestedTree, Head, span
from handover.crypto import canonical
from handover.crypto.checkpoint import Checkpoint, read_checkpoint, verify_checkpoint
from handover.crypto.errors import CanonicalError, CryptoError, KeyFormatError, NoteError, SignatureError
from handover.crypto.merkle import leaf_hash
from handover.crypto.note import NoteKey, parse_vkey

_Line = TypeVar("_Line")


class VerifiedExport(msgspec.Struct, frozen=True, kw_only=True):
    """What was proven. `pinned` is False when the keys were taken from the export itself."""

    origin: str
    size: int
    root: str
    case: str | None
    shown: int
    hidden: int
    #: Sizes of the checkpoints in the export, and of those that the verifier had kept.
    checkpoints: tuple[int, ...]
    kept: tuple[int, ...]
    #: Name and id of each key that signed.
    keys: tuple[str, ...]
    pinned: bool


def verify_export(
    lines: Iterable[bytes], *, checkpoints: Sequence[str] = (), keys: Sequence[NoteKey] = ()
) -> VerifiedExport:
    """Checks an export; `checkpoints` are signed notes kept elsewhere, `keys` the pinned verifier keys.

    Raises:
        AuditVerificationError: names the entry, or the smallest interval of entries that the checkpoints allow.
    """
    source = iter(lines)
    # 1. The header says which log this is, and which keys sign it.
    header = _header(next(source, b""))
    own_keys = _own_keys(header)
    doubts = _Doubts()
    if not set(keys) <= set(own_keys):
        doubts.add("the export names other log keys than the pinned ones", "keys_differ")
    # 2. What the verifier kept counts first.
    kept = [_kept(number, note, header, keys, own_keys, doubts) for number, note in enumerate(checkpoints, 1)]
    # 3. The export's own checkpoints count only as far as the expected keys signed them.
    own = _own_checkpoints(source, header)
    trusted = _signed(own.checkpoints, keys if doubts else own_keys, doubts)
    # 4. Every leaf, compared at the size of every checkpoint.
    tree = AttestedTree([*kept, *trusted])
    shown = 0
    for line in own.rest:
        leaf, is_shown = _leaf(line, tree.size, header.case)
        tree.append(leaf)
        shown += is_shown
    tree.finish()
    # 5. Nothing may remain that no trusted checkpoint attests.
    doubts.settle(tree)
    _check_end(tree, header, own.checkpoints, shown)
    return VerifiedExport(
        origin=header.origin,
        size=tree.size,
        root=tree.root().hex(),
        case=header.case,
        shown=shown,
        hidden=tree.size - shown,
        checkpoints=tuple(checkpoint.size for checkpoint, _note in own.checkpoints),
        kept=tuple(head.size for head in kept),
        keys=tuple(f"{key.name}+{key.key_id.hex()}" for key in keys or own_keys),
        pinned=bool(keys),
    )


class _Doubts:
    """What speaks against the export's signatures, held back until the entries were compared: they tell where."""

    def __init__(self) -> None:
        self._first: tuple[str, str] | None = None

    def __bool__(self) -> bool:
        return self._first is not None

    def add(self, message: str, problem: str) -> None:
        self._first = self._first or (message, problem)

    def settle(self, tree: AttestedTree) -> None:
        """Raises the first doubt, naming the entries that nothing trusted attests."""
        if self._first is None:
            return
        message, problem = self._first
        if tree.attested == tree.size:
            raise AuditVerificationError(message, problem)
        first, last = tree.attested, tree.size - 1
        raise AuditVerificationError(
            f"{message}; {span(first, last)} possibly forged: no trusted checkpoint attests them", problem, first, last
        )


def _header(line: bytes) -> Header:
    try:
        return canonical.decode_strict(_body(line), Header)
    except CanonicalError as error:
        raise AuditVerificationError(
            f"line 1 is not the header of an audit export: {error}", "header_malformed"
        ) from error


def _own_keys(header: Header) -> list[NoteKey]:
    try:
        keys = [parse_vkey(vkey) for vkey in header.keys]
    except KeyFormatError as error:
        raise AuditVerificationError(
            f"the export's header holds a malformed key: {error}", "header_malformed"
        ) from error
    if not keys or [key.vkey for key in keys] != list(header.keys) or len(set(keys)) != len(keys):
        raise AuditVerificationError("the export's header names no key, or a key twice", "header_malformed")
    return keys


def _kept(
    number: int, note: str, header: Header, pinned: Sequence[NoteKey], own_keys: Sequence[NoteKey], doubts: _Doubts
) -> Head:
    name = f"kept checkpoint {number}"
    try:
        checkpoint = read_checkpoint(note.encode())
    except (CryptoError, UnicodeEncodeError) as error:
        raise AuditVerificationError(f"{name} is malformed: {error}", "checkpoint_malformed") from error
    if checkpoint.origin != header.origin:
        raise AuditVerificationError(
            f"{name} is of the log {checkpoint.origin!r}, the export of {header.origin!r}", "other_log"
        )
    try:
        verify_checkpoint(note.encode(), pinned or own_keys)
    except SignatureError as error:
        if pinned:
            raise AuditVerificationError(f"{name} does not hold: {error}", "checkpoint_not_signed") from error
        # The keys came from the export; against a checkpoint in the verifier's hands it is they that are in doubt.
        doubts.add(f"the keys that the export names did not sign {name}: {error}", "keys_differ")
    return Head(checkpoint.size, checkpoint.root, f"{name} (size {checkpoint.size})")


class _OwnCheckpoints(NamedTuple):
    """The export's checkpoints, signatures not yet looked at, and the lines that follow them."""

    checkpoints: list[tuple[Checkpoint, bytes]]
    rest: Iterator[bytes]


def _own_checkpoints(source: Iterator[bytes], header: Header) -> _OwnCheckpoints:
    found: list[tuple[Checkpoint, bytes]] = []
    for line in source:
        if not line.startswith(CHECKPOINT_PREFIX):
            return _OwnCheckpoints(found, itertools.chain([line], source))
        name = f"checkpoint line {len(found) + 1} of the export"
        try:
            note = canonical.decode_strict(_body(line), CheckpointLine).checkpoint.encode()
            checkpoint = read_checkpoint(note)
        except (CanonicalError, NoteError) as error:
            raise AuditVerificationError(f"{name} is malformed: {error}", "checkpoint_malformed") from error
        if checkpoint.origin != header.origin or (found and checkpoint.size <= found[-1][0].size):
            raise AuditVerificationError(f"{name} is of another log or out of order", "checkpoint_malformed")
        found.append((checkpoint, note))
    return _OwnCheckpoints(found, iter(()))


def _signed(own: Iterable[tuple[Checkpoint, bytes]], keys: Sequence[NoteKey], doubts: _Doubts) -> list[Head]:
    """The heads that every one of `keys` signed; the others become doubts."""
    heads = []
    for checkpoint, note in own:
        name = f"the export's checkpoint of size {checkpoint.size}"
        try:
            verify_checkpoint(note, keys)
        except SignatureError as error:
            doubts.add(f"{name} does not hold: {error}", "checkpoint_not_signed")
        else:
            heads.append(Head(checkpoint.size, checkpoint.root, name))
    return heads


def _leaf(line: bytes, position: int, case: str | None) -> tuple[bytes, bool]:
    """The leaf hash, and whether the entry is shown."""
    body = _body(line, position)
    if not body.startswith(ENTRY_PREFIX):
        if case is None:
            _refuse(position, "is missing from an export of the whole log", "entry_missing")
        return bytes.fromhex(_decode(body, HiddenLine, position).leaf), False
    parsed = _decode(body, EntryLine, position)
    leaf = leaf_hash(body[len(ENTRY_PREFIX) : -ENTRY_SUFFIX_SIZE])
    if parsed.entry.index != position:
        _refuse(
            position,
            f"was moved, or one before it inserted or deleted: here stands entry {parsed.entry.index}",
            "entry_moved",
        )
    if leaf.hex() != parsed.leaf:
        _refuse(position, "was altered: its bytes do not have its leaf hash", "entry_altered")
    if case is not None and parsed.entry.case != case:
        _refuse(position, "does not belong to the case of this export", "entry_foreign")
    return leaf, True


def _check_end(tree: AttestedTree, header: Header, own: Sequence[tuple[Checkpoint, bytes]], shown: int) -> None:
    attested = own[-1][0].size if own else 0
    if not own or attested != tree.size:
        last = max(tree.size - 1, 0)
        first = min(attested, last)
        raise AuditVerificationError(
            f"the export's newest checkpoint attests {attested} of {tree.size} entries: {span(first, last)} added or forged",
            "entries_not_attested",
            first,
            last,
        )
    if header.case is not None and not shown:
        raise AuditVerificationError(f"no entry of the case {header.case} is shown", "case_empty")
    if (header.size, header.root) != (tree.size, tree.root().hex()):
        raise AuditVerificationError("the header's size or root is not that of the entries", "header_differs")


def _decode(body: bytes, form: type[_Line], position: int) -> _Line:
    try:
        return canonical.decode_strict(body, form)
    except CanonicalError as error:
        raise AuditVerificationError(
            f"entry {position} is malformed: {error}", "line_malformed", position, position
        ) from error


def _body(line: bytes, position: int | None = None) -> bytes:
    if not line.endswith(b"\n"):
        where = "the header" if position is None else f"entry {position}"
        raise AuditVerificationError(
            f"the line of {where} does not end in a newline", "line_malformed", position, position
        )
    return line[:-1]


def _refuse(position: int, what: str, problem: str) -> NoReturn:
    raise AuditVerificationError(f"entry {position} {what}", problem, position, position)
