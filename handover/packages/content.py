"""What goes into a package: which copies, and how they are cut down to the agreed fields and subjects."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from handover.archive.seal import Entry
from handover.compliance.queries import Eligibility, eligibility, subject_key
from handover.compliance.service import mark_minors
from handover.context import Context
from handover.detection import holds_personal_data
from handover.inventory.content import Content, Sink, Stored, plain_chunks, raw_chunks
from handover.inventory.models import Copy, RecordSet
from handover.inventory.queries import (
    RecordFacts,
    copy_content,
    facts_of,
    field_name,
    fields_of,
    record_sets_of,
    source_copy,
)
from handover.inventory.service import announce_copy
from handover.jobs import JobRun
from handover.masking.isolated_selection import minors_isolated, select_isolated
from handover.masking.selection import Selection, SelectionReport
from handover.packages.models import Package
from handover.redaction.queries import items_of
from handover.vault import SealedBlob, Vault


@dataclass(slots=True)
class Part:
    """One file of the package, and what was counted in it."""

    record_set_id: uuid.UUID
    name: str
    level: str
    records: int
    key_id: str
    stored: Stored
    redaction: str = ""

    def entry(self, vault: Vault) -> Entry:
        content = self.stored.content
        return Entry(
            path=self.name,
            size=content.size,
            sha256=content.sha256,
            crc32=content.crc32,
            content=lambda: raw_chunks(vault, self.key_id, self.stored.blob),
            media_type=content.media_type,
            level=self.level,
            records=self.records,
            redaction=self.redaction,
            deflated_size=content.deflated_size,
        )


@dataclass(slots=True)
class Collected:
    """Everything that a build needs, read at one moment."""

    parts: list[Part] = field(default_factory=list)
    exclusions: dict[str, int] = field(default_factory=dict)
    persons: int = 0
    #: Keys of working copies that exist for this build alone, with the copies' ids.
    working_keys: dict[str, uuid.UUID] = field(default_factory=dict)


def collect(run: JobRun, row: Package, progress: Callable[[int, int], None]) -> Collected:
    """Gathers the parts of a package; closing packages are cut down in the parsing child, file by file."""
    if row.purpose == "due_diligence":
        return _redacted(run, row)
    with run.unit_of_work(write=False) as ctx:
        plans = [_plan(ctx, row, record_set) for record_set in _sets(ctx, row)]
    if row.purpose == "closing":
        _note_minors(run, row, plans)
        with run.unit_of_work(write=False) as ctx:
            rule = eligibility(ctx, row.case_id, row.party_id)
    else:
        rule = Eligibility(reasons={}, unlisted=None, allowed=frozenset())
    collected = Collected()
    for done, plan in enumerate(plans):
        progress(done, len(plans))
        _add(run, row, plan, rule, collected)
    collected.persons = max((plan.persons for plan in plans), default=0)
    return collected


@dataclass(slots=True)
class _Plan:
    """A source and what to do with it."""

    record_set_id: uuid.UUID
    name: str
    level: str
    records: int
    persons: int
    key_id: str
    blob: SealedBlob
    content: Content
    subject_field: str | None
    drop: list[str]
    subject_secret: bytes


def _sets(ctx: Context, row: Package) -> list[RecordSet]:
    states = {"approved", "packaged", "transferred"}
    return [s for s in record_sets_of(ctx, row.case_id) if s.state in states]


def _plan(ctx: Context, row: Package, record_set: RecordSet) -> _Plan:
    copy: Copy = source_copy(ctx, record_set.id)
    facts = facts_of(ctx, record_set)
    vault, subjects = ctx.get(Vault), subject_key(row.case_id)
    return _Plan(
        record_set_id=record_set.id,
        name=facts.filename if facts else record_set.number,
        level=record_set.level or "",
        records=record_set.records,
        persons=record_set.persons,
        key_id=str(copy.key_id),
        blob=msgspec.convert(copy.blob, SealedBlob),
        content=copy_content(ctx, copy),
        subject_field=facts.subject_field if facts else None,
        drop=[field_name(ctx, f) for f in fields_of(ctx, record_set.id) if f.need == "excluded"],
        subject_secret=vault.secret(subjects) if vault.has(subjects) else b"",
    )


def _selection(plan: _Plan, rule: Eligibility) -> Selection:
    return Selection(
        name=plan.name,
        format=plan.content.format,
        subject_field=plan.subject_field,
        drop_fields=plan.drop,
        subject_key=plan.subject_secret,
        allowed=frozenset(map(bytes.fromhex, rule.allowed)) if rule.unlisted is not None else None,
        reasons={bytes.fromhex(digest): reason for digest, reason in rule.reasons.items()},
        unlisted=rule.unlisted or "no_answer",
    )


def _note_minors(run: JobRun, row: Package, plans: Iterable[_Plan]) -> None:
    """Finds the under-14 in the records themselves, so that a consent without a guardian's does not count for them."""
    vault, found = run.installation.get(Vault), set[str]()
    empty = Eligibility(reasons={}, unlisted=None, allowed=frozenset())
    for plan in plans:
        if plan.subject_field and plan.subject_secret:
            chunks = plain_chunks(vault, plan.key_id, plan.blob, plan.content)
            found |= minors_isolated(chunks, _selection(plan, empty))
    with run.unit_of_work() as ctx:
        mark_minors(ctx, row.case_id, found)


def _add(run: JobRun, row: Package, plan: _Plan, rule: Eligibility, collected: Collected) -> None:
    vault = run.installation.get(Vault)
    if not plan.drop and rule.unlisted is None and not rule.reasons:
        part = Part(
            plan.record_set_id, plan.name, plan.level, plan.records, plan.key_id, Stored(plan.blob, plan.content)
        )
        collected.parts.append(part)
        return
    copy_id = announce_copy(run, row.case_id, "working", plan.level, record_set_id=plan.record_set_id)
    key_id = f"copy:{copy_id}"
    collected.working_keys[key_id] = copy_id
    with Sink(vault, key_id, plan.content.format) as sink:
        chunks = plain_chunks(vault, plan.key_id, plan.blob, plan.content)
        report: SelectionReport = select_isolated(chunks, _selection(plan, rule), sink.write)
    for reason, count in report.excluded.items():
        collected.exclusions[reason] = collected.exclusions.get(reason, 0) + count
    plan.persons = report.persons if plan.subject_field else min(plan.persons, report.records_out)
    part = Part(plan.record_set_id, plan.name, plan.level, report.records_out, key_id, sink.stored())
    collected.parts.append(part)


def _redacted(run: JobRun, row: Package) -> Collected:
    """The outputs of the bidder's redaction, as they were reviewed."""
    collected = Collected()
    with run.unit_of_work(write=False) as ctx:
        for item in items_of(ctx, row.redaction_id):
            record_set = ctx.session.get_one(RecordSet, item.record_set_id)
            copy = ctx.session.get_one(Copy, item.output_copy_id)
            facts = facts_of(ctx, record_set)
            stored = Stored(msgspec.convert(copy.blob, SealedBlob), copy_content(ctx, copy))
            part = Part(
                record_set.id,
                _shown_name(facts, record_set.number),
                copy.level,
                item.records_out,
                str(copy.key_id),
                stored,
            )
            part.redaction = f"redaction:{row.redaction_id}"
            collected.parts.append(part)
            collected.persons = max(collected.persons, record_set.persons)
    return collected


def _shown_name(facts: RecordFacts | None, number: str) -> str:
    """A file's name for a bidder: one that tells of a person is replaced by the record set's number."""
    if facts is None:
        return number
    stem, dot, ending = facts.filename.rpartition(".")
    return f"{number}{dot}{ending}" if holds_personal_data(stem or ending) else facts.filename


def entries(parts: Iterable[Part], vault: Vault) -> Iterator[Entry]:
    for part in parts:
        yield part.entry(vault)
