"""The machine's part of a redaction: every record set in parts, put together in order, and scanned a second time.

A run cuts its work into parts, one job each, so that several workers share it; whichever part ends last asks for the
putting together. Nothing that a part read outlives it but its output and its sealed report.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import delete, select

from handover import jobs
from handover.cases.queries import case_key
from handover.context import Context
from handover.inventory.content import Content, Sink, Stored, store
from handover.inventory.inspecting import parts_for
from handover.inventory.models import Copy, RecordSet
from handover.inventory.queries import copy_content, copy_plain, copy_source, facts_of, source_copy
from handover.inventory.service import announce_copy, drop_copy, fill_copy
from handover.jobs import Job, JobRun
from handover.masking import Policy, RedactionReport, redact_isolated, residual_isolated
from handover.redaction.gates import sample_size
from handover.redaction.models import Redaction, RedactionItem, RedactionPart
from handover.redaction.queries import items_of, parts_of, plan_of, report_of_part
from handover.redaction.samples import SAMPLES_FORMAT
from handover.redaction.service import pseudonym_key
from handover.settings import Settings
from handover.vault import Vault
from handover.workflow import Workflow


@dataclass(slots=True)
class _Task:
    record_set_id: uuid.UUID
    name: str
    policy: Policy
    source: Callable[[], Iterator[bytes]]
    content: Content
    records: int
    #: How many records a reviewer will look at.
    samples: int


class _Output(NamedTuple):
    """A copy that was made: what it is, and its bytes, once."""

    format: str
    chunks: Iterator[bytes]


def start(run: JobRun) -> None:
    """Cuts a queued run into parts, each with a job of its own."""
    with run.finish() as ctx:
        row = ctx.session.get_one(Redaction, run.entity_id)
        if row.state != "queued":
            return
        ctx.get(Workflow).fire(ctx, row, "start")
        # Parts of an earlier run are replaced; their copies stay on the register until they are destroyed.
        ctx.session.execute(delete(RedactionPart).where(RedactionPart.redaction_id == row.id))
        for task in _tasks(ctx, row):
            of = parts_for(ctx.get(Settings).policy, task.name, task.content.size)
            for number in range(of):
                part = RedactionPart(
                    case_id=row.case_id, redaction_id=row.id, record_set_id=task.record_set_id, number=number, of=of
                )
                ctx.session.add(part)
                ctx.session.flush()
                jobs.put(ctx, "redaction.part", case_id=row.case_id, entity_id=part.id, redaction=row.id)


def redact_part(run: JobRun) -> None:
    """Redacts one part under the bidder's pseudonym key; the last one of a run asks for the merge."""
    vault = run.installation.get(Vault)
    with run.unit_of_work(write=False) as ctx:
        part = ctx.session.get(RedactionPart, run.entity_id)
        if part is None or part.report_sealed is not None:
            return
        row = ctx.session.get_one(Redaction, part.redaction_id)
        if row.state != "running":
            return
        (task,) = _tasks(ctx, row, part.record_set_id)
        secret = vault.secret(pseudonym_key(row.case_id, row.party_id))
    output_id, sample_id = (
        announce_copy(run, row.case_id, kind, "L2", record_set_id=task.record_set_id) for kind in ("redacted", "sample")
    )
    with (
        Sink(vault, f"copy:{output_id}", task.content.format) as output,
        Sink(vault, f"copy:{sample_id}", SAMPLES_FORMAT) as sample,
    ):
        report = redact_isolated(
            task.source,
            task.name,
            task.policy,
            secret,
            sink=output.write,
            samples=task.samples,
            part=(part.number, part.of),
            on_sample=lambda line: sample.write(line + b"\n"),
            progress=_passes(run, task.records, "survey", "redact"),
        )
    with run.finish() as ctx:
        _keep_part(ctx, part.id, report, {output_id: output.stored(), sample_id: sample.stored()})


def merge(run: JobRun) -> None:
    """Puts the parts of each record set together in order, then presents the run for review."""
    vault = run.installation.get(Vault)
    with run.unit_of_work(write=False) as ctx:
        row = ctx.session.get_one(Redaction, run.entity_id)
        if row.state != "running":
            return
        by_set: dict[uuid.UUID, list[RedactionPart]] = {}
        for part in parts_of(ctx, row.id):
            by_set.setdefault(part.record_set_id, []).append(part)
        sources = {
            part.id: [_output(ctx, copy_id) for copy_id in (part.output_copy_id, part.sample_copy_id)]
            for parts in by_set.values()
            if len(parts) > 1
            for part in parts
        }
    joined: dict[uuid.UUID, list[tuple[uuid.UUID, Stored]]] = {}
    for record_set_id, parts in by_set.items():
        if len(parts) > 1:
            joined[record_set_id] = [
                _join(run, vault, row.case_id, kind, record_set_id, [sources[part.id][place] for part in parts])
                for place, kind in enumerate(("redacted", "sample"))
            ]
    with run.finish() as ctx:
        _store(ctx, row.id, by_set, joined)


def check_residual(run: JobRun) -> None:
    """Scans the bytes that came out with the detectors and with the values known from the source."""
    with run.unit_of_work(write=False) as ctx:
        row = ctx.session.get_one(Redaction, run.entity_id)
        if row.state != "residual_check":
            return
        tasks = {task.record_set_id: task for task in _tasks(ctx, row)}
        work = [
            (item, tasks[item.record_set_id], copy_source(ctx, ctx.session.get_one(Copy, item.output_copy_id)))
            for item in items_of(ctx, row.id)
        ]
    results: dict[uuid.UUID, tuple[dict[str, Any], int | None, int]] = {}
    total = sum(task.records for _, task, _ in work)
    done = 0
    for item, task, output in work:
        quasi = [name for name, rule in task.policy.fields.items() if rule.action == "generalise"]
        report = residual_isolated(
            output,
            task.name,
            task.policy,
            source=task.source,
            quasi_identifiers=quasi,
            progress=_passes(run, total, "survey", "residual", before=done),
        )
        counts = {**report.leftover, "kinds": report.leftover_kinds, "kept": report.kept}
        results[item.id] = (counts, report.k, len(quasi))
        done += task.records
    with run.finish() as ctx:
        for item in items_of(ctx, run.entity_id):
            item.residual, item.k_min, item.quasi_identifiers = results[item.id]


def on_end(ctx: Context, job: Job, _code: str) -> None:
    """A run of which some job ended without success is failed, to be queued again."""
    row = ctx.session.get_one(Redaction, uuid.UUID(job.arguments.get("redaction", job.arguments["entity_id"])))
    if row.state in {"queued", "running"}:
        ctx.get(Workflow).fire(ctx, row, "fail")


def _passes(run: JobRun, records: int, *stages: str, before: int = 0) -> Callable[[dict[str, Any]], None]:
    """Progress over several passes, each of which goes over all records once."""

    def report(said: dict[str, Any]) -> None:
        passed = stages.index(str(said.get("stage"))) if said.get("stage") in stages else 0
        run.progress(before * len(stages) + passed * records + int(said.get("records", 0)), len(stages) * records)

    return report


def _tasks(ctx: Context, row: Redaction, only: uuid.UUID | None = None) -> list[_Task]:
    """What the plan asks for, by record set; of all of them or of one."""
    plan = sorted((plan_of(ctx, row) or {}).items())
    wanted = [(uuid.UUID(identifier), policy) for identifier, policy in plan]
    return [_task(ctx, identifier, policy) for identifier, policy in wanted if only in {None, identifier}]


def _task(ctx: Context, record_set_id: uuid.UUID, policy: dict[str, Any]) -> _Task:
    record_set = ctx.session.get_one(RecordSet, record_set_id)
    copy, facts = source_copy(ctx, record_set.id), facts_of(ctx, record_set)
    return _Task(
        record_set_id=record_set.id,
        name=facts.filename if facts else record_set.number,
        policy=msgspec.convert(policy, Policy),
        source=copy_source(ctx, copy),
        content=copy_content(ctx, copy),
        records=record_set.records,
        samples=sample_size(ctx, record_set.records),
    )


def _output(ctx: Context, copy_id: uuid.UUID | None) -> _Output:
    copy = ctx.session.get_one(Copy, copy_id)
    return _Output(copy_content(ctx, copy).format, copy_plain(ctx, copy))


def _keep_part(ctx: Context, part_id: uuid.UUID, report: RedactionReport, copies: dict[uuid.UUID, Stored]) -> None:
    part = ctx.session.get_one(RedactionPart, part_id)
    part.output_copy_id, part.sample_copy_id = copies
    for copy_id, stored in copies.items():
        fill_copy(ctx, copy_id, stored)
    part.report_sealed = ctx.get(Vault).seal_json(
        case_key(part.case_id), msgspec.to_builtins(report), field="redaction_parts.report", row=part.id
    )
    ctx.session.flush()
    # Two parts may end at the same moment: the lock makes one of them the last.
    ctx.session.execute(select(Redaction.id).where(Redaction.id == part.redaction_id).with_for_update())
    if all(one.report_sealed is not None for one in parts_of(ctx, part.redaction_id)):
        jobs.put(ctx, "redaction.merge", case_id=part.case_id, entity_id=part.redaction_id, redaction=part.redaction_id)


def _join(
    run: JobRun, vault: Vault, case_id: uuid.UUID, kind: str, record_set_id: uuid.UUID, parts: list[_Output]
) -> tuple[uuid.UUID, Stored]:
    copy_id = announce_copy(run, case_id, kind, "L2", record_set_id=record_set_id)
    return copy_id, store(vault, f"copy:{copy_id}", parts[0].format, chain.from_iterable(part.chunks for part in parts))


def _store(
    ctx: Context,
    redaction_id: uuid.UUID,
    by_set: dict[uuid.UUID, list[RedactionPart]],
    joined: dict[uuid.UUID, list[tuple[uuid.UUID, Stored]]],
) -> None:
    row = ctx.session.get_one(Redaction, redaction_id)
    row.run_at = ctx.now()
    # Results of an earlier run are replaced; their copies stay on the register until they are destroyed.
    ctx.session.execute(delete(RedactionItem).where(RedactionItem.redaction_id == row.id))
    for record_set_id, parts in by_set.items():
        copies: list[uuid.UUID | None] = [parts[0].output_copy_id, parts[0].sample_copy_id]
        if record_set_id in joined:
            for copy_id, stored in joined[record_set_id]:
                fill_copy(ctx, copy_id, stored)
            copies = [copy_id for copy_id, _stored in joined[record_set_id]]
            for part in parts:
                drop_copy(ctx, part.output_copy_id)
                drop_copy(ctx, part.sample_copy_id)
        reports = [report_of_part(ctx, part) for part in parts]
        ctx.session.add(
            RedactionItem(
                case_id=row.case_id,
                redaction_id=row.id,
                record_set_id=record_set_id,
                output_copy_id=copies[0],
                sample_copy_id=copies[1],
                records_in=sum(report.records_in for report in reports),
                records_out=sum(report.records_out for report in reports),
                counts=_counts(reports),
            )
        )
    ctx.session.flush()
    workflow = ctx.get(Workflow)
    workflow.fire(ctx, row, "finish_run")
    workflow.fire(ctx, row, "present")


def _counts(reports: list[RedactionReport]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for field in (field for report in reports for field in report.fields):
        for kind, count in field.kinds.items():
            counts[kind] = counts.get(kind, 0) + count
        if not field.kinds and field.replaced:
            counts["whole_value"] = counts.get("whole_value", 0) + field.replaced
    return counts
