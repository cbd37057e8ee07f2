"""The service on both databases: appends commit or vanish with their transaction, and only committed entries are signed."""

import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from handover.audit import AuditEntryError, AuditLog, AuditVerificationError, GateRecord, queries, reason_digest
from handover.audit.models import AuditCheckpoint, AuditEntry, AuditHead
from handover.audit.proofs import encode_proof, verify_inclusion
from handover.audit.verify import verify_export
from handover.context import ANONYMOUS, SYSTEM, Actor, Context, Installation
from handover.crypto.checkpoint import read_checkpoint
from handover.errors import InvalidInputError, NotFoundError
from tests.audit.logs import HONEST

CASE, OTHER = uuid.UUID(int=1 << 100), uuid.UUID(int=2 << 100)


def append(ctx: Context, case: uuid.UUID | None = CASE, **more: Any) -> int:
    values = {"entity": "package", "entity_id": uuid.UUID(int=7), "case_id": case} | more
    return ctx.get(AuditLog).append(ctx, "package.released", **values)


def fill(installation: Installation, count: int) -> str:
    """Entries of two cases in turn, a checkpoint after each third, and one at the end."""
    for number in range(count):
        with installation.unit_of_work(SYSTEM) as ctx:
            append(ctx, (CASE, OTHER)[number % 2])
        if number % 3 == 2 or number == count - 1:
            with installation.unit_of_work(SYSTEM) as ctx:
                note = ctx.get(AuditLog).checkpoint(ctx)
    return note


def test_an_entry_says_who_did_what_to_which_thing(installation: Installation):
    person = uuid.UUID(int=5)
    digest = reason_digest("the buyer asked for it", "ab" * 16)
    gate = GateRecord("G13 release_2p", passed=True, sha256="0" * 64)
    with installation.unit_of_work(Actor(kind="person", person_id=person), request_id="r-1") as ctx:
        append(ctx, from_state="a", to_state="b", role="legal", on_behalf_of=OTHER, gates=[gate], reason=digest)
        with ctx.as_system():
            append(ctx, details={"records": 3})
    with installation.unit_of_work(ANONYMOUS) as ctx:
        append(ctx, None, entity_id=None)
        first, second, third = (view.entry for view in queries.entries(ctx).items)
    assert (first.actor, first.role, first.on_behalf_of, first.case) == (str(person), "legal", str(OTHER), str(CASE))
    assert (first.from_state, first.to_state, first.gates, first.reason) == ("a", "b", (gate,), digest)
    assert (first.request, first.entity, first.event) == ("r-1", "package", "package.released")
    assert (second.actor, second.role, second.details) == ("system", "system", {"records": 3})
    assert (third.actor, third.role, third.case, third.entity_id) == ("anonymous", None, None, None)
    assert len({first.random, second.random, third.random}) == 3


def test_a_transaction_that_fails_leaves_no_entry_and_no_gap(installation: Installation):
    fill(installation, 2)
    with pytest.raises(AuditEntryError), installation.unit_of_work(SYSTEM) as ctx:  # noqa: PT012 - one transaction
        assert append(ctx) == 2
        append(ctx, role="Not A Word")
    with installation.unit_of_work(SYSTEM) as ctx:
        assert append(ctx) == 2
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        assert ctx.get(AuditLog).verify_database(ctx).size == 3


def test_a_checkpoint_signs_only_what_is_committed(installation: Installation):
    fill(installation, 2)
    with installation.unit_of_work(SYSTEM) as ctx:
        append(ctx)
        assert read_checkpoint(ctx.get(AuditLog).checkpoint(ctx).encode()).size == 2
    with installation.unit_of_work(SYSTEM) as ctx:
        assert read_checkpoint(ctx.get(AuditLog).checkpoint(ctx).encode()).size == 3


def test_a_checkpoint_of_the_same_tree_is_signed_once(installation: Installation):
    note = fill(installation, 3)
    with installation.unit_of_work(SYSTEM) as ctx:
        assert ctx.get(AuditLog).checkpoint(ctx) == note == queries.newest_note(ctx)


@pytest.mark.parametrize(
    "details",
    [
        {"name": "王小明"},
        {"mail": "a@example.com"},
        {"place": "192.0.2.7"},
        {"place": "2001:db8::1"},
        {"quote": 'he said "yes"'},
        {"long": "a" * 257},
        {"big": 2**53},
        {"Key": 1},
        {"nested": ["a"]},
    ],
)
def test_details_that_could_hold_personal_data_are_refused_and_nothing_is_written(
    installation: Installation, details: Any
):
    with pytest.raises(AuditEntryError) as caught, installation.unit_of_work(SYSTEM) as ctx:
        append(ctx, details=details)
    assert not any(str(value) in str(caught.value) for value in details.values() if isinstance(value, str))
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        assert ctx.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry)) == 0


@pytest.mark.parametrize(
    "more", [{"reason": "because I say so"}, {"role": "the boss"}, {"entity": "Package"}, {"from_state": "A b"}]
)
def test_clear_text_where_a_digest_or_word_belongs_is_refused(installation: Installation, more: dict[str, Any]):
    with pytest.raises(AuditEntryError), installation.unit_of_work(SYSTEM) as ctx:
        append(ctx, **more)


def test_an_export_of_a_case_verifies_and_shows_no_other_case(installation: Installation):
    note = fill(installation, 8)
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        lines = list(ctx.get(AuditLog).export(ctx, CASE))
    assert str(OTHER).encode() not in b"".join(lines)
    verified = verify_export(lines, checkpoints=[note], keys=HONEST.public)
    assert (verified.shown, verified.hidden, verified.checkpoints) == (4, 4, (3, 6, 8))


def test_an_export_needs_a_checkpoint(installation: Installation):
    with installation.unit_of_work(SYSTEM, write=False) as ctx, pytest.raises(NotFoundError):
        ctx.get(AuditLog).export(ctx)


def test_every_entry_is_proven_in_every_later_tree(installation: Installation):
    note = fill(installation, 9)
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        log = ctx.get(AuditLog)
        for row in ctx.session.scalars(sa.select(AuditEntry)):
            proof = encode_proof(log.prove_inclusion(ctx, row.index, 9))
            verify_inclusion(proof, note, HONEST.public, entry=row.entry.encode())
        with pytest.raises(InvalidInputError):
            log.prove_inclusion(ctx, 9, 9)
        with pytest.raises(InvalidInputError):
            log.prove_consistency(ctx, 3, 10)


def test_pages_of_a_cases_entries_join_without_gap_or_repetition(installation: Installation):
    fill(installation, 9)
    seen, cursor = [], None
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        while True:
            page = queries.entries(ctx, case_id=CASE, cursor=cursor, limit=2)
            seen += [view.entry.index for view in page.items]
            cursor = page.next
            if cursor is None:
                break
        assert seen == [0, 2, 4, 6, 8]
        for bad in ({"cursor": "x"}, {"cursor": "-1"}, {"limit": 0}, {"limit": 501}):
            with pytest.raises(InvalidInputError):
                queries.entries(ctx, **bad)


ALTERED = sa.func.replace(AuditEntry.entry, "package.released", "package.attested")


@pytest.mark.parametrize(
    ("statement", "interval"),
    [
        (sa.update(AuditEntry).where(AuditEntry.index == 4).values(entry=ALTERED), (4, 4)),
        (sa.update(AuditEntry).where(AuditEntry.index == 4).values(case_id=OTHER), (4, 4)),
        (sa.update(AuditEntry).where(AuditEntry.index == 4).values(leaf_hash=b"\0" * 32), (4, 4)),
        (sa.delete(AuditEntry).where(AuditEntry.index == 4), (4, 4)),
        (sa.delete(AuditEntry).where(AuditEntry.index == 8), (6, 8)),
        (sa.update(AuditHead).values(size=7), (6, 8)),
        (sa.update(AuditHead).values(frontier=b"\0" * 80), (None, None)),
        (sa.update(AuditCheckpoint).values(root=b"\0" * 32), (None, None)),
        (sa.update(AuditCheckpoint).values(note="x\n1\n"), (None, None)),
    ],
)
def test_rows_changed_behind_the_logs_back_are_found(
    installation: Installation, statement: Any, interval: tuple[int | None, int | None]
):
    fill(installation, 9)
    log = installation.get(AuditLog)
    with installation.unit_of_work(SYSTEM) as ctx:
        ctx.session.execute(statement)
    with installation.unit_of_work(SYSTEM) as ctx:
        with pytest.raises(AuditVerificationError) as caught:
            log.verify_database(ctx)
        assert (caught.value.first, caught.value.last) == interval


def test_a_finding_is_what_gates_see_last(installation: Installation):
    fill(installation, 4)
    log = installation.get(AuditLog)
    with installation.unit_of_work(SYSTEM) as ctx:
        assert queries.last_verification(ctx) is None
        log.record_verification(ctx)
        first = queries.last_verification(ctx)
        assert first is not None
        assert (first.holds, first.size) == (True, 4)
        ctx.session.execute(sa.update(AuditEntry).where(AuditEntry.index == 2).values(entry=ALTERED))
    with installation.unit_of_work(SYSTEM) as ctx:
        log.record_verification(ctx)
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        last = queries.last_verification(ctx)
        assert last is not None
        assert (last.holds, last.problem, last.first, last.last) == (False, "entry_altered", 2, 2)
