"""Taking an upload in: its segments become one sealed source copy, then every field is inspected in a child.

A large file is inspected in parts, each a job of its own (`inspecting`). A killed run starts over with a new copy; the
remains of the old one are on the register and go with the rest. What cannot be inspected is refused with the reason, and
blocks the stage until somebody excludes it.
"""

import uuid
from collections.abc import Iterator

import msgspec

from handover.cases.queries import case_key
from handover.context import Context
from handover.detection import ScanReport, inspect_isolated
from handover.i18n import Text
from handover.inventory.content import Stored, plain_chunks, raw_chunks, store
from handover.inventory.inspecting import begin, keep_report, parts_for, refuse
from handover.inventory.models import RecordSet, Upload
from handover.inventory.queries import facts_of
from handover.inventory.service import announce_copy, fill_copy
from handover.inventory.uploads import drop_segments, upload_key
from handover.jobs import Job, JobRun
from handover.settings import Settings
from handover.vault import SealedBlob, Vault


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
    parts = parts_for(run.installation.get(Settings).policy, facts.filename, stored.content.size)
    if parts > 1:
        with run.finish() as ctx:
            _keep_source(ctx, row.id, copy_id, stored, "L4")
            begin(ctx, row, parts)
        return
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
    row = ctx.session.get_one(RecordSet, uuid.UUID(job.arguments.get("record_set", job.arguments["entity_id"])))
    refuse(
        ctx, row, Text(f"检查未完成（{code}），请更换文件", f"the inspection did not finish ({code}); replace the file")
    )


def _segments(run: JobRun, vault: Vault, upload: Upload) -> Iterator[bytes]:
    done = 0
    for listed in upload.segments:
        for chunk in raw_chunks(vault, upload_key(upload.id), msgspec.convert(listed, SealedBlob)):
            yield chunk
            done += len(chunk)
            run.progress(done, upload.size)


def _keep(ctx: Context, row_id: uuid.UUID, copy_id: uuid.UUID, stored: Stored, report: ScanReport) -> None:
    content = msgspec.structs.replace(stored.content, format=report.format or stored.content.format)
    level = report.level if report.blocked is None else "L4"
    _keep_source(ctx, row_id, copy_id, Stored(stored.blob, content), level)
    keep_report(ctx, ctx.session.get_one(RecordSet, row_id), report)


def _keep_source(ctx: Context, row_id: uuid.UUID, copy_id: uuid.UUID, stored: Stored, level: str) -> None:
    row = ctx.session.get_one(RecordSet, row_id)
    fill_copy(ctx, copy_id, stored, level=level)
    upload = ctx.session.get_one(Upload, row.upload_id)
    drop_segments(ctx, upload)
    upload.state = "ingested"
