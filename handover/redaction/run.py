"""The machine's part of a redaction: the pass over every record set, and the second scan over what came out."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import delete

from handover.context import Context
from handover.inventory.content import Content, Sink, Stored, plain_chunks
from handover.inventory.models import Copy, RecordSet
from handover.inventory.queries import copy_content, facts_of, source_copy
from handover.inventory.service import announce_copy, fill_copy
from handover.jobs import Job, JobRun
from handover.masking import Policy, RedactionReport, redact_isolated, residual_isolated
from handover.redaction.gates import sample_size
from handover.redaction.models import Redaction, RedactionItem
from handover.redaction.queries import items_of, plan_of
from handover.redaction.samples import SAMPLES_FORMAT
from handover.redaction.service import pseudonym_key
from handover.vault import SealedBlob, Vault
from handover.workflow import Workflow


@dataclass(slots=True)
class _Task:
    record_set_id: uuid.UUID
    name: str
    policy: Policy
    key_id: str
    blob: SealedBlob
    content: Content
    #: How many records a reviewer will look at.
    samples: int = 0

    def source(self, vault: Vault) -> Callable[[], Iterator[bytes]]:
        return lambda: plain_chunks(vault, self.key_id, self.blob, self.content)


@dataclass(slots=True)
class _Made:
    task: _Task
    report: RedactionReport
    #: The output, then the sample of it.
    copies: dict[uuid.UUID, Stored]


def redact(run: JobRun) -> None:
    """Redacts every record set of the run under the bidder's pseudonym key, then presents it for review."""
    vault = run.installation.get(Vault)
    with run.unit_of_work() as ctx:
        row = ctx.session.get_one(Redaction, run.entity_id)
        if row.state not in {"queued", "running"}:
            return
        if row.state == "queued":
            ctx.get(Workflow).fire(ctx, row, "start")
        tasks = _tasks(ctx, row)
        secret = vault.secret(pseudonym_key(row.case_id, row.party_id))
    made: list[_Made] = []
    for done, task in enumerate(tasks):
        run.progress(done, len(tasks))
        output_id, sample_id = (
            announce_copy(run, row.case_id, kind, "L2", record_set_id=task.record_set_id)
            for kind in ("redacted", "sample")
        )
        with (
            Sink(vault, f"copy:{output_id}", task.content.format) as output,
            Sink(vault, f"copy:{sample_id}", SAMPLES_FORMAT) as sample,
        ):
            report = redact_isolated(
                task.source(vault),
                task.name,
                task.policy,
                secret,
                sink=output.write,
                samples=task.samples,
                on_sample=lambda line, sink=sample: sink.write(line + b"\n"),  # type: ignore[misc]
                progress=lambda _said, done=done: run.progress(done, len(tasks)),  # type: ignore[misc]
            )
        made.append(_Made(task, report, {output_id: output.stored(), sample_id: sample.stored()}))
    with run.finish() as ctx:
        _store(ctx, row.id, made)


def check_residual(run: JobRun) -> None:
    """Scans the bytes that came out with the detectors and with the values known from the source."""
    vault = run.installation.get(Vault)
    with run.unit_of_work(write=False) as ctx:
        row = ctx.session.get_one(Redaction, run.entity_id)
        if row.state != "residual_check":
            return
        work = [
            (item, task, _output(ctx, item)) for item, task in zip(items_of(ctx, row.id), _tasks(ctx, row), strict=True)
        ]
    results: dict[uuid.UUID, tuple[dict[str, Any], int | None, int]] = {}
    for done, (item, task, output) in enumerate(work):
        run.progress(done, len(work))
        quasi = [name for name, rule in task.policy.fields.items() if rule.action == "generalise"]
        report = residual_isolated(
            output.source(vault), task.name, task.policy, source=task.source(vault), quasi_identifiers=quasi
        )
        counts = {**report.leftover, "kinds": report.leftover_kinds, "kept": report.kept}
        results[item.id] = (counts, report.k, len(quasi))
    with run.finish() as ctx:
        for item in items_of(ctx, run.entity_id):
            item.residual, item.k_min, item.quasi_identifiers = results[item.id]


def on_end(ctx: Context, job: Job, _code: str) -> None:
    """A run that ended without success is failed, to be queued again."""
    row = ctx.session.get_one(Redaction, uuid.UUID(job.arguments["entity_id"]))
    if row.state in {"queued", "running"}:
        ctx.get(Workflow).fire(ctx, row, "fail")


def _tasks(ctx: Context, row: Redaction) -> list[_Task]:
    tasks = []
    for identifier, policy in sorted((plan_of(ctx, row) or {}).items()):
        record_set = ctx.session.get_one(RecordSet, uuid.UUID(identifier))
        copy, facts = source_copy(ctx, record_set.id), facts_of(ctx, record_set)
        tasks.append(
            _Task(
                record_set_id=record_set.id,
                name=facts.filename if facts else record_set.number,
                policy=msgspec.convert(policy, Policy),
                key_id=str(copy.key_id),
                blob=msgspec.convert(copy.blob, SealedBlob),
                content=copy_content(ctx, copy),
                samples=sample_size(ctx, record_set.records),
            )
        )
    return tasks


def _output(ctx: Context, item: RedactionItem) -> _Task:
    copy = ctx.session.get_one(Copy, item.output_copy_id)
    blob = msgspec.convert(copy.blob, SealedBlob)
    return _Task(item.record_set_id, "", Policy(), str(copy.key_id), blob, copy_content(ctx, copy))


def _store(ctx: Context, redaction_id: uuid.UUID, made: list[_Made]) -> None:
    row = ctx.session.get_one(Redaction, redaction_id)
    row.run_at = ctx.now()
    # Results of an earlier run are replaced; their copies stay on the register until they are destroyed.
    ctx.session.execute(delete(RedactionItem).where(RedactionItem.redaction_id == row.id))
    for one in made:
        output_id, sample_id = one.copies
        for copy_id, stored in one.copies.items():
            fill_copy(ctx, copy_id, stored)
        ctx.session.add(
            RedactionItem(
                case_id=row.case_id,
                redaction_id=row.id,
                record_set_id=one.task.record_set_id,
                output_copy_id=output_id,
                sample_copy_id=sample_id,
                records_in=one.report.records_in,
                records_out=one.report.records_out,
                counts=_counts(one.report),
            )
        )
    ctx.session.flush()
    workflow = ctx.get(Workflow)
    workflow.fire(ctx, row, "finish_run")
    workflow.fire(ctx, row, "present")


def _counts(report: RedactionReport) -> dict[str, int]:
    counts: dict[str, int] = {}
    for field in report.fields:
        for kind, count in field.kinds.items():
            counts[kind] = counts.get(kind, 0) + count
        if not field.kinds and field.replaced:
            counts["whole_value"] = counts.get("whole_value", 0) + field.replaced
    return counts
