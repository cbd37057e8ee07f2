"""The end of an inspection, and the inspection of a large file in parts, each a job of its own.

Parts of one file may run at the same time in several workers. Whichever ends last asks for the conclusion, which puts
their counts together; what they handed on ends with it.
"""

import uuid
from pathlib import PurePath

import msgspec
from sqlalchemy import delete, select

from handover import jobs
from handover.cases.queries import case_key
from handover.context import Context
from handover.db import new_id
from handover.detection import ScanReport
from handover.detection.isolated import inspect_part_isolated
from handover.detection.parts import PartState, merge
from handover.i18n import Text
from handover.inventory.content import store
from handover.inventory.models import Copy, Field, InspectionPart, RecordSet
from handover.inventory.queries import RecordFacts, copy_plain, copy_source, facts_of, source_copy
from handover.inventory.service import announce_copy, drop_copy, fill_copy
from handover.jobs import JobRun
from handover.settings import Policy
from handover.vault import Vault
from handover.workflow import Workflow

#: Endings of files whose records stand for themselves; one that lies is refused by every part.
_DIVISIBLE = frozenset({".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".txt", ".log"})
_RESULT_FORMAT = "inspection"


def parts_for(policy: Policy, filename: str, size: int) -> int:
    """In how many parts a file of `size` bytes is worked on."""
    large = size >= policy.parts_from_mib << 20 and PurePath(filename).suffix.lower() in _DIVISIBLE
    return max(policy.parts, 1) if large else 1


def begin(ctx: Context, row: RecordSet, parts: int) -> None:
    """Asks for the inspection of a stored record set in parts."""
    ctx.session.execute(delete(InspectionPart).where(InspectionPart.record_set_id == row.id))
    for number in range(parts):
        part = InspectionPart(case_id=row.case_id, record_set_id=row.id, number=number, of=parts)
        ctx.session.add(part)
        ctx.session.flush()
        jobs.put(ctx, "inventory.inspect", case_id=row.case_id, entity_id=part.id, record_set=row.id)


def inspect_part(run: JobRun) -> None:
    """Inspects one part; the last one of a record set asks for the conclusion. A refused file is refused at once."""
    vault = run.installation.get(Vault)
    with run.unit_of_work(write=False) as ctx:
        part = ctx.session.get(InspectionPart, run.entity_id)
        if part is None or part.result_copy_id is not None:
            return
        row = ctx.session.get_one(RecordSet, part.record_set_id)
        facts = facts_of(ctx, row)
        if row.state != "scanning" or facts is None:
            return
        source = copy_source(ctx, source_copy(ctx, row.id))
    found = inspect_part_isolated(
        source,
        facts.filename,
        key=vault.secret(case_key(row.case_id)),
        part=(part.number, part.of),
        subject_field=facts.subject_field,
        progress=lambda said: run.progress(int(said.get("records", 0)), 0),
    )
    if isinstance(found, Text):
        with run.finish() as ctx:
            refuse(ctx, ctx.session.get_one(RecordSet, row.id), found)
        return
    copy_id = announce_copy(run, row.case_id, "working", "L3", record_set_id=row.id)
    stored = store(vault, f"copy:{copy_id}", _RESULT_FORMAT, [msgspec.msgpack.encode(found)])
    with run.finish() as ctx:
        fill_copy(ctx, copy_id, stored)
        ctx.session.get_one(InspectionPart, part.id).result_copy_id = copy_id
        ctx.session.flush()
        # Two parts may end at the same moment: the lock makes one of them the last.
        ctx.session.execute(select(RecordSet.id).where(RecordSet.id == row.id).with_for_update())
        if all(one.result_copy_id for one in _parts_of(ctx, row.id)):
            jobs.put(ctx, "inventory.conclude", case_id=row.case_id, entity_id=row.id)


def conclude(run: JobRun) -> None:
    """Puts the parts' counts together and keeps the report."""
    with run.unit_of_work(write=False) as ctx:
        if ctx.session.get_one(RecordSet, run.entity_id).state != "scanning":
            return
        copies = [ctx.session.get_one(Copy, part.result_copy_id) for part in _parts_of(ctx, run.entity_id)]
        results = [copy_plain(ctx, copy) for copy in copies]
    states = [msgspec.msgpack.decode(b"".join(chunks), type=PartState) for chunks in results]
    report, _digests = merge(states)
    with run.finish() as ctx:
        row = ctx.session.get_one(RecordSet, run.entity_id)
        source = source_copy(ctx, row.id)
        source.level = report.level
        for part in _parts_of(ctx, row.id):
            drop_copy(ctx, part.result_copy_id)
        keep_report(ctx, row, report)


def keep_report(ctx: Context, row: RecordSet, report: ScanReport) -> None:
    """Notes what an inspection found and moves the record set on; a file that can't be inspected is refused."""
    if report.blocked is not None:
        refuse(ctx, row, report.blocked)
        return
    _keep_fields(ctx, row, report)
    workflow = ctx.get(Workflow)
    workflow.fire(ctx, row, "finish_scan")
    workflow.fire(ctx, row, "classify")


def refuse(ctx: Context, row: RecordSet, reason: Text) -> None:
    """Blocks a record set that is being inspected, with the reason, until somebody decides."""
    if row.state == "scanning":
        row.blocked = {"zh": reason.zh, "en": reason.en}
        ctx.get(Workflow).fire(ctx, row, "refuse")


def _parts_of(ctx: Context, record_set_id: uuid.UUID) -> list[InspectionPart]:
    query = select(InspectionPart).where(InspectionPart.record_set_id == record_set_id)
    return list(ctx.session.scalars(query.order_by(InspectionPart.number)))


def _keep_fields(ctx: Context, row: RecordSet, report: ScanReport) -> None:
    vault, key = ctx.get(Vault), case_key(row.case_id)
    row.format, row.encoding, row.records = report.format, report.encoding, report.records
    row.persons, row.minors, row.level = report.persons, report.under_14, report.level
    basis = report.subject.basis if report.subject else "identifiers in the text"
    row.persons_method = f"{report.persons_method}, distinct by {basis}"
    row.report_sealed = vault.seal_text(
        key, msgspec.json.encode(report).decode(), field="record_sets.report", row=row.id
    )
    facts = facts_of(ctx, row)
    if facts is not None and facts.subject_field is None and report.subject is not None:
        _note_subject(ctx, row, facts, report.subject.field)
    for position, found in enumerate(report.fields):
        identifier = new_id()
        ctx.session.add(
            Field(
                id=identifier,
                case_id=row.case_id,
                record_set_id=row.id,
                position=position,
                name_sealed=vault.seal_text(key, found.name, field="fields.name", row=identifier),
                kinds=found.kinds,
                proposed_level=found.level,
                level=found.level,
            )
        )
    ctx.session.flush()


def _note_subject(ctx: Context, row: RecordSet, facts: RecordFacts, field: str) -> None:
    named = msgspec.structs.replace(facts, subject_field=field)
    row.facts_sealed = ctx.get(Vault).seal_json(
        case_key(row.case_id), msgspec.to_builtins(named), field="record_sets.facts", row=row.id
    )
