"""What someone can do to an export, with and without rehashing and signing keys, and where it is found."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from handover.audit import AuditVerificationError
from handover.audit.verify import VerifiedExport, verify_export
from tests.audit.logs import CASES, FORGER, HONEST, Log, entry, renumbered

SIZES = (0, 10, 20, 30, 40)
HONEST_LOG = Log.honest(40, SIZES)
PINNED = HONEST.public

Attack = Callable[[list], list]


def edit(rows: list) -> list:
    return [*rows[:17], _edited(rows[17]), *rows[18:]]


def delete(rows: list) -> list:
    return rows[:17] + rows[18:]


def reorder(rows: list) -> list:
    return [*rows[:17], rows[18], rows[17], *rows[19:]]


def insert(rows: list) -> list:
    return [*rows[:17], _edited(rows[17]), *rows[17:]]


def truncate(rows: list) -> list:
    return rows[:17]


def _edited(row):
    if isinstance(row, tuple):
        return (_edited(row[0]), row[1])
    changed = row.replace(b'"package.released"', b'"package.attested"')
    assert changed != row
    return changed


ATTACKS = (edit, delete, reorder, insert, truncate)


def without_rehash(attack: Attack) -> Log:
    """Lines are changed, leaf hashes and signatures stay as they were."""
    rows = attack(list(zip(HONEST_LOG.entries, HONEST_LOG.leaves, strict=True)))
    return replace(HONEST_LOG, entries=[row[0] for row in rows], leaves=[row[1] for row in rows])


def with_rehash(attack: Attack) -> Log:
    """Entries are renumbered and everything that needs no key is computed again."""
    return replace(HONEST_LOG, entries=renumbered(attack(HONEST_LOG.entries))).rehashed()


def stripped(log: Log) -> Log:
    """The forger also takes out every checkpoint that would show it."""
    return replace(log, notes=HONEST_LOG.notes[:2])


def signed_again(log: Log, keys=FORGER) -> Log:
    return replace(log, keys=keys, sizes=(0, 10, 20, 30, len(log.entries))).signed()


def verify(log: Log, kept: tuple[int, ...] = (), keys=PINNED) -> VerifiedExport:
    notes = [HONEST_LOG.checkpoint(size) for size in kept]
    return verify_export(log.lines(), checkpoints=notes, keys=keys)


def found(log: Log, kept: tuple[int, ...] = (), keys=PINNED) -> tuple[int | None, int | None]:
    with pytest.raises(AuditVerificationError) as caught:
        verify(log, kept, keys)
    return caught.value.first, caught.value.last


def test_an_honest_export_holds_with_and_without_kept_checkpoints():
    verified = verify(HONEST_LOG, (0, 7, 40))
    assert (verified.size, verified.shown, verified.pinned, verified.kept) == (40, 40, True, (0, 7, 40))
    assert verify(HONEST_LOG, keys=()).pinned is False


@pytest.mark.parametrize("attack", [edit, delete, reorder, insert])
def test_without_rehashing_the_entry_is_named(attack):
    assert found(without_rehash(attack)) == (17, 17)
    assert found(without_rehash(attack), (40,), ()) == (17, 17)


@pytest.mark.parametrize("attack", ATTACKS)
def test_with_rehashing_the_interval_between_the_exports_own_checkpoints_is_named(attack):
    assert found(with_rehash(attack)) == ((10, 39) if attack is truncate else (10, 19))


@pytest.mark.parametrize("attack", ATTACKS)
def test_with_checkpoints_stripped_a_kept_one_names_the_interval(attack):
    forged = stripped(with_rehash(attack))
    assert found(forged, (16, 19, 40)) == ((16, 39) if attack is truncate else (16, 18))
    assert found(forged, (40,), ()) == (10, 39)


@pytest.mark.parametrize("attack", ATTACKS)
def test_signing_again_with_another_key_is_found_by_the_pinned_key_and_located_by_kept_checkpoints(attack):
    forged = signed_again(with_rehash(attack))
    assert found(forged) == (0, len(forged.entries) - 1)
    assert found(forged, (16, 19, 40)) == ((16, 39) if attack is truncate else (16, 18))


@pytest.mark.parametrize("attack", ATTACKS)
def test_signing_again_with_another_key_is_found_by_a_kept_checkpoint_even_without_pinned_keys(attack):
    forged = signed_again(with_rehash(attack))
    assert found(forged, (16, 19, 40), ()) == ((16, 39) if attack is truncate else (16, 18))
    assert found(forged, (12,), ()) == (12, len(forged.entries) - 1)


@pytest.mark.parametrize("attack", ATTACKS)
def test_even_the_holder_of_the_signing_keys_cannot_rewrite_what_a_kept_checkpoint_attests(attack):
    forged = signed_again(with_rehash(attack), HONEST)
    assert found(forged, (16, 19, 40)) == ((17, 39) if attack is truncate else (16, 18))


def test_the_holder_of_the_signing_keys_can_rewrite_what_nobody_kept_a_checkpoint_of():
    """Said openly in the documentation: evident up to the last checkpoint that someone else holds."""
    assert verify(signed_again(with_rehash(edit), HONEST), (16,)).kept == (16,)


def test_truncation_to_an_old_checkpoint_is_found_by_a_newer_kept_one_only():
    short = replace(HONEST_LOG, entries=HONEST_LOG.entries[:20], sizes=(0, 10, 20)).rehashed().signed()
    assert verify(short).size == 20
    assert found(short, (40,)) == (20, 39)


def test_entries_added_after_the_newest_checkpoint_are_refused():
    longer = replace(HONEST_LOG, entries=[*HONEST_LOG.entries, entry(40)]).rehashed()
    assert found(longer) == (40, 40)


def test_a_checkpoint_of_another_log_is_refused():
    other = HONEST_LOG.checkpoint(40).replace("example.org", "example.com", 1)
    with pytest.raises(AuditVerificationError, match=r"of the log 'example\.com/handover/log'"):
        verify_export(HONEST_LOG.lines(), checkpoints=[other], keys=PINNED)


def test_a_checkpoint_by_another_key_does_not_count_as_kept():
    forged = signed_again(with_rehash(edit)).checkpoint(40)
    with pytest.raises(AuditVerificationError) as caught:
        verify_export(HONEST_LOG.lines(), checkpoints=[forged], keys=PINNED)
    assert caught.value.problem == "checkpoint_not_signed"


def test_both_signatures_are_demanded():
    note = HONEST_LOG.checkpoint(40)
    text, ed25519, _mldsa = note.rsplit("\u2014 ", 2)
    with pytest.raises(AuditVerificationError, match="not signed by the expected key"):
        verify_export(HONEST_LOG.lines(), checkpoints=[f"{text}\u2014 {ed25519}"], keys=PINNED)


def test_an_export_for_one_case_shows_others_as_hashes_and_verifies():
    lines = HONEST_LOG.lines(CASES[0])
    assert CASES[1].encode() not in b"".join(lines)
    verified = verify_export(lines, checkpoints=[HONEST_LOG.checkpoint(30)], keys=PINNED)
    assert (verified.case, verified.shown, verified.hidden) == (CASES[0], 16, 24)


def test_an_edited_entry_of_a_case_export_is_named_and_a_hidden_one_located():
    lines = HONEST_LOG.lines(CASES[0])
    first = next(n for n, line in enumerate(lines) if line.startswith(b'{"entry"'))
    for position, interval in ((16, (16, 16)), (17, (10, 19))):
        line = lines[first + position]
        changed = line.replace(b"released", b"rejected") if b"entry" in line else line.replace(line[9:11], b"00", 1)
        assert changed != line
        with pytest.raises(AuditVerificationError) as caught:
            verify_export([*lines[: first + position], changed, *lines[first + position + 1 :]], keys=PINNED)
        assert (caught.value.first, caught.value.last) == interval


def test_a_hidden_entry_in_an_export_of_the_whole_log_is_named():
    lines = HONEST_LOG.lines()
    lines[-1] = b'{"leaf":"' + HONEST_LOG.leaves[-1].hex().encode() + b'"}\n'
    with pytest.raises(AuditVerificationError) as caught:
        verify_export(lines, keys=PINNED)
    assert (caught.value.problem, caught.value.first) == ("entry_missing", 39)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"index":17', b'"index":17,"index":17'),
        (b'"index":17', b'"index": 17'),
        (b'"index":17', b'"index":17.0'),
        (b'"index":17', b'"index":"17"'),
        (b'"index":17', b'"index":17,"indey":1'),
        (b'"package.released"', b'"package\\u002ereleased"'),
        (b"}\n", b"}\r\n"),
        (b"}\n", b"} \n"),
        (b"}\n", b"}"),
    ],
)
def test_another_encoding_of_the_same_entry_is_refused(old, new):
    lines = HONEST_LOG.lines()
    position = len(lines) - 40 + 17
    changed = lines[position].replace(old, new)
    assert changed != lines[position]
    with pytest.raises(AuditVerificationError) as caught:
        verify_export([*lines[:position], changed, *lines[position + 1 :]], keys=PINNED)
    assert caught.value.first == 17


@pytest.mark.parametrize("lines", [[], [b""], [b"{}\n"], [b"\xff\n"], [b"[" * 5000 + b"\n"]])
def test_what_is_no_export_is_refused(lines):
    with pytest.raises(AuditVerificationError):
        verify_export(lines, keys=PINNED)
