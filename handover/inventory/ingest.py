"""Taking an upload in: its segments become one sealed source copy, then every field is inspected in a child.

A killed run starts over with a new copy; the remains of the old one are on the register and go with the rest. What
cannot be inspected is refused with the reason, and blocks the stage until somebody excludes it.
"""

import uuid
from collections.abc import Iterator

import msgspec

from handover.cases.queries import case_key
from handover.context import Context
from handover.db import new_id
from handover.detection import ScanReport, inspect_isolated
from handover.inventory.content import Stored, plain_chunks, raw_chunks, store
from handover.inventory.models import Field, RecordSet, Upload
from handover.inventory.queries import RecordFacts, facts_of
from handover.inventory.service import announce_copy, fill_copy
from handover.inventory.uploads import drop_segments, upload_key
from handover.jobs import Job, JobRun
from handover.vault import SealedBlob, Vault
from handover.workflow import Workflow


def ingest(run: JobRun) -> None:
    """Stores and inspects one record set; a second run after success changes nothing."""
    vault = run.installation.get(Vault)
    with run.unit_of_work(write=False) as ctx:
        row = ctx.session.get_one(RecordSet, run.entity_id)
        upload = ctx.session.get_one(Upload, row.upload_id)
        facts = facts_of(ctx, row)
    if row.state != "scanning" or facts is None:
        return
    copy_id = announce_copy(run, row.case_id, "source", "L4", record_set_id=row.id)
    key_id = f"copy:{copy_id}"
    fmt = facts.filename.rpartition(".")[2].lower()
    stored = store(vault, key_id, fmt, _segments(run, vault, upload))
    report = inspect_isolated(
        lambda: plain_chunks(vault, key_id, stored.blob, stored.content),
        facts.filename,
        key=vault.secret(case_key(row.case_id)),
        subject_field=facts.subject_field,
        progress=lambda said: run.progress(int(said.get("records", 0)), 0),
    )
    with run.finish() as ctx:
        _keep(ctx, row.id, copy_id, stored, report)


def on_end(ctx: Context, job: Job, code: str) -> None:
    """An inspection that ended without success refuses the record set, so that somebody decides."""
    row = ctx.session.get_one(RecordSet, uuid.UUID(job.arguments["entity_id"]))
    if row.state == "scanning":
        row.blocked = {
            "zh": f"检查未完成（{code}），请更换文件",
            "en": f"the inspection did not finish ({code}); replace the file",
        }
        ctx.get(Workflow).fire(ctx, row, "refuse")


def _segments(run: JobRun, vault: Vault, upload: Upload) -> Iterator[bytes]:
    done = 0
    for listed in upload.segments:
        for chunk in raw_chunks(vault, upload_key(upload.id), msgspec.convert(listed, SealedBlob)):
            yield chunk
            done += len(chunk)
            run.progress(done, upload.size)


def _keep(ctx: Context, row_id: uuid.UUID, copy_id: uuid.UUID, stored: Stored, report: ScanReport) -> None:
    row = ctx.session.get_one(RecordSet, row_id)
    content = msgspec.structs.replace(stored.content, format=report.format or stored.content.format)
    fill_copy(ctx, copy_id, Stored(stored.blob, content), level=report.level if report.blocked is None else "L4")
    upload = ctx.session.get_one(Upload, row.upload_id)
    drop_segments(ctx, upload)
    upload.state = "ingested"
    workflow = ctx.get(Workflow)
    if report.blocked is not None:
        row.blocked = {"zh": report.blocked.zh, "en": report.blocked.en}
        workflow.fire(ctx, row, "refuse")
        return
    _keep_report(ctx, row, report)
    workflow.fire(ctx, row, "finish_scan")
    workflow.fire(ctx, row, "classify")


def _keep_report(ctx: Context, row: RecordSet, report: ScanReport) -> None:
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
