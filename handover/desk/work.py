"""What is to be done in a case and by whom: the transition that leads each row on, with its gates computed now.

Which transition leads on is said here for people's convenience only; whether it may fire is the workflow's answer.
"""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import select

from handover.agreements.models import Agreement
from handover.cases.frame import ROAD
from handover.cases.models import Case, LegalHold
from handover.context import Context
from handover.delivery.models import Delivery
from handover.desk.people import Named, People
from handover.desk.words import kind_label
from handover.destruction.models import DestructionOrder
from handover.i18n import Text
from handover.inventory.models import RecordSet
from handover.packages.models import Package
from handover.recipients.models import Recipient
from handover.redaction.models import Redaction
from handover.workflow import GateResult, Option, Workflow
from handover.workflow.definition import RESUME, Definition, Transition

#: The transitions that lead a row on; all others go back, aside or to an end.
ONWARD: dict[type[Any], tuple[str, ...]] = {
    Agreement: ("submit", "send"),
    RecordSet: ("scan", "review", "approve"),
    Redaction: ("queue", "accept_review", "approve"),
    Recipient: ("submit_identity", "verify_identity", "reactivate"),
    Package: ("build", "request_release", "approve", "release"),
    Delivery: ("record_custody", "accept", "accept_custody", "resolve"),
    DestructionOrder: ("check", "approve", "schedule", "execute", "verify"),
    LegalHold: ("activate",),
}
#: Rows of one kind of which the desk computes gates; the page of the room shows all.
MAX_ROWS = 8
#: Of rows that stand alone in their case: what is to be done says enough.
NAMELESS = Text("", "")
_CUSTODY = {"record_custody", "accept_custody"}


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody must do. `option` is absent where it is no transition (a signature, a key)."""

    case_id: uuid.UUID
    what: Text
    #: The row by the name that people know it by: `RS-01`, a package's number, a kind of agreement; no customer data.
    row: Text
    place: str
    who: list[Named]
    roles: list[str]
    mine: bool
    #: The reader's click is all that is missing.
    ready: bool = False
    gates: list[GateResult] = []
    machine: str = ""
    row_id: uuid.UUID | None = None
    option: Option | None = None
    #: When the row came into its state; None where the log's newest entries do not say.
    since: dt.datetime | None = None
    #: It waits longer than people should be left alone with it.
    late: bool = False


def advancing(definition: Definition, case: Case) -> Transition | None:
    """The transition that takes a case to its next stage, or back to where it was held."""
    for transition in definition.transitions:
        if case.state in transition.source and _leads_on(transition.dest, case.state):
            return transition
    return None


def _leads_on(dest: str, state: str) -> bool:
    if state in ROAD:
        after = ROAD.index(state) + 1
        return after < len(ROAD) and dest == ROAD[after]
    return dest == RESUME if state in {"on_hold", "frozen"} else dest in ROAD


def work_on_case(ctx: Context, case: Case, people: People) -> Work | None:
    """What the case itself waits for; None when it is closed."""
    workflow = ctx.get(Workflow)
    transition = advancing(workflow.definition(ctx, case.id, Case.MACHINE), case)
    return None if transition is None else _work(ctx, case, transition, people, NAMELESS, f"/cases/{case.reference}")


def work_on_rows(ctx: Context, cases: Sequence[Case], people: People) -> list[Work]:
    """What the rows of the cases wait for, in the order of the transfer; of many rows alike the first few."""
    by_id, found = {case.id: case for case in cases}, []
    for model, triggers in ONWARD.items():
        onward = {case.id: _onward(ctx, case, model, triggers) for case in cases}
        states = {state for leading in onward.values() for transition in leading for state in transition.source}
        query = select(model).where(model.case_id.in_(by_id), model.state.in_(states)).order_by(model.id)
        shown: Counter[uuid.UUID] = Counter()
        for row in ctx.session.scalars(query):
            shown[row.case_id] += 1
            if shown[row.case_id] > MAX_ROWS:
                continue
            found += [
                _work(ctx, row, transition, people, name_of(people, row), place_of(by_id[row.case_id].reference, row))
                for transition in onward[row.case_id]
                if row.state in transition.source and _fits(row, transition)
            ]
    return found


def _onward(ctx: Context, case: Case, model: type[Any], triggers: tuple[str, ...]) -> list[Transition]:
    definition = ctx.get(Workflow).definition(ctx, case.id, model.MACHINE)
    return [transition for transition in definition.transitions if transition.trigger in triggers]


def name_of(people: People, row: Any) -> Text:
    """How people call a row."""
    if isinstance(row, Recipient):
        return _plain(people.name(row.person_id))
    number = getattr(row, "number", None)
    return _plain(number) if number else kind_label(row.kind) if hasattr(row, "kind") else NAMELESS


def _plain(name: str) -> Text:
    return Text(name, name)


def place_of(reference: str, row: Any) -> str:
    """The page on which a row is worked on."""
    base = f"/cases/{reference}"
    match row:
        case Agreement():
            return f"{base}/nda"
        case RecordSet():
            return f"{base}/records/{row.id}"
        case Redaction():
            return f"{base}/redaction/{row.id}"
        case Recipient():
            return f"{base}/recipients"
        case Package():
            return f"{base}/package/{row.number}"
        case Delivery():
            return f"{base}/handover"
        case DestructionOrder():
            return f"{base}/destruction"
        case LegalHold():
            return f"{base}/parties"
    return base


def _fits(row: Any, transition: Transition) -> bool:
    """Packages and custody share one machine, but not their steps."""
    return (
        not isinstance(row, Delivery)
        or (transition.trigger in _CUSTODY) == (row.kind == "custody")
        or row.state == "disputed"
    )


def _work(ctx: Context, row: Any, transition: Transition, people: People, name: Text, place: str) -> Work:
    option = ctx.get(Workflow).option(ctx, row, transition)
    closed = [gate for gate in option.gates if not gate.open]
    roles = who_must_act(option)
    party_id = getattr(row, "party_id", None)
    who = people.holding(row.case_id, roles, party_id)
    me = ctx.actor.person_id
    given = {approval.person_id for approval in option.given}
    who = [person for person in who if str(person.id) not in given]
    ready = option.allowed and not closed and any(person.id == me for person in who)
    return Work(
        case_id=row.case_id,
        what=option.label,
        row=name,
        place=place,
        who=who,
        roles=roles,
        mine=any(person.id == me for person in who),
        ready=ready,
        gates=closed,
        machine=row.MACHINE,
        row_id=row.id,
        option=option,
    )


def who_must_act(option: Option) -> list[str]:
    """The roles whose turn it is: those that an open condition names, else those whose approval or click is missing."""
    failed = [c for gate in option.gates if not gate.open for c in gate.conditions if c.passed is False]
    named = [role for condition in failed for role in condition.who]
    if not failed:
        named = [role for approvals in option.missing_approvals for role in approvals] or option.who
    return list(dict.fromkeys(role for role in named if role != "system"))


def together(works: Sequence[Work]) -> list[Work]:
    """The works with those as one that ask several people for the same."""
    found: dict[tuple[object, ...], Work] = {}
    for work in works:
        key = (work.what, work.row, work.place, work.row_id if work.option else None)
        before = found.get(key)
        who = list(dict.fromkeys([*before.who, *work.who])) if before else work.who
        found[key] = msgspec.structs.replace(before or work, who=who)
    return list(found.values())


def people_waited_for(works: Sequence[Work]) -> Iterator[tuple[Named, list[Work]]]:
    """Each person with what they are waited for, the busiest first."""
    found: dict[Named, list[Work]] = {}
    for work in works:
        for person in work.who:
            found.setdefault(person, []).append(work)
    yield from sorted(found.items(), key=lambda item: (-len(item[1]), item[0].name))
