"""One change for many record sets: all of it or nothing, and what is left blank stays as it is in each."""

from collections.abc import Sequence

import msgspec

from handover.context import Context
from handover.errors import HandoverError, InvalidInputError
from handover.inventory.models import RecordSet
from handover.inventory.queries import fields_of
from handover.inventory.service import FieldDecision, change_facts, decide_fields
from handover.workflow import Workflow

#: What may be fired for many sets at once; each still passes its own gates.
TRIGGERS = ("review", "approve", "reopen", "exclude")


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What is to become of every chosen set; None keeps."""

    period: str | None = None
    system: str | None = None
    source_statement: str | None = None
    #: For the fields of which nobody has decided yet whether they are needed.
    need: str | None = None
    #: Raises every field that is lower.
    level: str | None = None
    trigger: str | None = None
    reason: str | None = None


def change_many(ctx: Context, rows: Sequence[RecordSet], changes: Changes) -> int:
    """Applies the changes to every set in the order: facts, fields, transition. Returns how many fields were decided.

    Raises:
        InvalidInputError: nothing is chosen. Any error of a single set names it and changes none.
    """
    facts = {name: getattr(changes, name) for name in ("period", "system", "source_statement")}
    facts = {name: value for name, value in facts.items() if value is not None}
    if not rows:
        raise InvalidInputError("choose at least one record set", field="chosen")
    if not (facts or changes.need or changes.level or changes.trigger):
        raise InvalidInputError("say what is to be changed: every field was left blank", field="chosen")
    decided = 0
    for row in rows:
        try:
            if facts:
                change_facts(ctx, row, facts)
            decided += _decide(ctx, row, changes)
            if changes.trigger:
                _fire(ctx, row, changes)
        except HandoverError as error:
            error.details.setdefault("record_set", row.number)
            raise
    return decided


def _decide(ctx: Context, row: RecordSet, changes: Changes) -> int:
    if not (changes.need or changes.level):
        return 0
    decisions = [
        FieldDecision(
            id=field.id,
            need=changes.need if field.need is None else None,
            level=changes.level if changes.level and changes.level > field.level else None,
            reason=changes.reason,
        )
        for field in fields_of(ctx, row.id)
        if (changes.need and field.need is None) or (changes.level and changes.level > field.level)
    ]
    if decisions:
        decide_fields(ctx, row, decisions)
    return len(decisions)


def _fire(ctx: Context, row: RecordSet, changes: Changes) -> None:
    if changes.trigger not in TRIGGERS:
        raise InvalidInputError("this cannot be done for many record sets at once", field="trigger")
    ctx.get(Workflow).fire(ctx, row, changes.trigger, reason=changes.reason)
