"""The page of a case: where it stands, the one next step, what may be done besides, and what its stage still lacks."""

from typing import Any

import msgspec
from sqlalchemy import select

from handover.cases.models import Case
from handover.cases.queries import roles_of
from handover.context import Context
from handover.desk.people import People
from handover.desk.reminders import Reminder, reminders
from handover.desk.todo import work_of
from handover.desk.words import condition_label
from handover.desk.work import Work, together
from handover.i18n import Text
from handover.jobs import Job, JobView, job_view
from handover.workflow import Option, Workflow

#: Failed jobs that the page lists; older ones are in the log.
_MAX_JOBS = 10


class CheckLine(msgspec.Struct, frozen=True, kw_only=True):
    """One condition of the step that moves the case on; `passed` None means that nobody computes it."""

    text: Text
    gate: str
    passed: bool | None
    overridden: bool


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows. `advance` moves the case on; `turn` is what the reader can do now instead."""

    advance: Work | None
    turn: Work | None
    mine: list[Work]
    others: list[Work]
    reminders: list[Reminder]
    checklist: list[CheckLine]
    besides: list[Option]
    running: list[JobView]
    failed: list[JobView]


def overview(ctx: Context, case: Case) -> Overview:
    """Everything about a case that is computed now."""
    people = People(ctx, [case.id])
    advance, rest = work_of(ctx, [case], people)[case.id]
    mine, others = [w for w in rest if w.mine], [w for w in rest if not w.mine]
    turn = None if advance is not None and advance.ready else next((w for w in mine if w.ready), None)
    waited_for = [*others, *([advance] if advance and not advance.mine else [])]
    return Overview(
        advance=advance,
        turn=turn,
        mine=[w for w in mine if w is not turn],
        others=together(others),
        reminders=reminders(ctx, case.reference, waited_for, people.leads(case.id)),
        checklist=_checklist(advance),
        besides=_besides(ctx, case, advance),
        running=_jobs(ctx, case, ("queued", "leased")),
        failed=_jobs(ctx, case, ("dead",)),
    )


def _checklist(advance: Work | None) -> list[CheckLine]:
    return [
        CheckLine(
            text=condition.reason or condition_label(condition.name),
            gate=gate.code,
            passed=condition.passed,
            overridden=gate.overridden,
        )
        for gate in (advance.option.gates if advance is not None and advance.option is not None else ())
        for condition in gate.conditions
    ]


def _besides(ctx: Context, case: Case, advance: Work | None) -> list[Option]:
    """The other transitions that the reader's roles may fire."""
    held = {role.role for role in roles_of(ctx, case.id)}
    workflow = ctx.get(Workflow)
    main = advance.option.trigger if advance is not None and advance.option is not None else ""
    return [
        workflow.option(ctx, case, transition)
        for transition in workflow.leaving(ctx, case)
        if transition.trigger != main and held & transition.allowed_roles
    ]


def _jobs(ctx: Context, case: Case, states: tuple[str, ...]) -> list[JobView]:
    query: Any = select(Job).where(Job.case_id == case.id, Job.state.in_(states)).order_by(Job.id.desc())
    return [job_view(ctx, job) for job in ctx.session.scalars(query.limit(_MAX_JOBS))]
