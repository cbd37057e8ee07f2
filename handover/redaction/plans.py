"""A plan as people read and change it: field by field, beside what is proposed and why."""

import uuid
from collections.abc import Mapping
from typing import Any, Literal, get_args

import msgspec

from handover.context import Context
from handover.detection import LEVELS, total
from handover.errors import ConflictError
from handover.inventory.models import Field, RecordSet
from handover.inventory.queries import field_name, fields_of, report_of
from handover.masking import FieldRule, Policy, propose_policy
from handover.masking.policy import Action, FieldAction
from handover.redaction.models import Redaction
from handover.redaction.queries import plan_of

#: Before a run, or when it was sent back.
CHANGEABLE = frozenset({"planned", "rework", "failed"})
ACTIONS: tuple[str, ...] = get_args(Action)
FIELD_ACTIONS: tuple[str, ...] = get_args(FieldAction)
#: What a whole field can be said to hold.
KINDS: tuple[str, ...] = (*sorted(LEVELS), "customer_id")

Why = Literal["excluded", "sensitive", "identifier", "quasi_identifier", "text"]


class PlannedField(msgspec.Struct, frozen=True, kw_only=True):
    """One field with its rule; `why` says from what the proposal follows."""

    position: int
    name: str
    level: str
    need: str | None
    found: dict[str, int]
    action: str
    kind: str
    proposed: str
    why: Why


class PlannedKind(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to hits of one kind in running text."""

    kind: str
    found: int
    action: str
    proposed: str


class PlannedSet(msgspec.Struct, frozen=True, kw_only=True):
    """The plan of one record set."""

    record_set_id: str
    number: str
    kind: str
    records: int
    fields: list[PlannedField]
    kinds: list[PlannedKind]
    other: str


def proposed_policy(ctx: Context, record_set: RecordSet) -> Policy | None:
    """What the classification suggests, with every excluded or unrecognised L4 field dropped; None before the inspection."""
    report = report_of(ctx, record_set)
    if report is None:
        return None
    policy = propose_policy(report, "due_diligence")
    rules = dict(policy.fields)
    for field in fields_of(ctx, record_set.id):
        name = field_name(ctx, field)
        if field.need == "excluded" or (field.level == "L4" and name not in rules and not field.kinds):
            rules[name] = FieldRule("drop")
    return msgspec.structs.replace(policy, fields=rules)


def planned_sets(ctx: Context, row: Redaction) -> list[PlannedSet]:
    """The plan of a run; nothing once the case's names are destroyed."""
    plan = plan_of(ctx, row) or {}
    return [_planned(ctx, uuid.UUID(identifier), policy) for identifier, policy in sorted(plan.items())]


def edited(ctx: Context, row: Redaction, given: Mapping[str, Any]) -> dict[str, Any]:
    """The plan with what a form says: `<set>.<position>` and `<set>.<position>.kind` of a field, `<set>.kind.<kind>` of hits.

    Raises:
        ConflictError: the case's names are destroyed.
    """
    plan = plan_of(ctx, row)
    if plan is None:
        raise ConflictError("the plan is destroyed with the case's names")
    return {identifier: _edited(ctx, identifier, policy, given) for identifier, policy in plan.items()}


def _edited(ctx: Context, identifier: str, policy: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    rules = dict(policy.get("fields", {}))
    for field in fields_of(ctx, uuid.UUID(identifier)):
        key, name = f"{identifier}.{field.position}", field_name(ctx, field)
        if key in given:
            kind = str(given.get(f"{key}.kind", rules.get(name, {}).get("kind", "")))
            rules[name] = {"action": str(given[key]), "kind": kind}
        if rules.get(name, {}).get("action") == "scan":
            del rules[name]
    start = f"{identifier}.kind."
    kinds = {key.removeprefix(start): str(value) for key, value in given.items() if key.startswith(start)}
    other = str(given.get(f"{identifier}.other", policy.get("other", "drop")))
    return {**policy, "fields": rules, "kinds": {**policy.get("kinds", {}), **kinds}, "other": other}


def _planned(ctx: Context, record_set_id: uuid.UUID, given: dict[str, Any]) -> PlannedSet:
    record_set = ctx.session.get_one(RecordSet, record_set_id)
    policy = msgspec.convert(given, Policy)
    proposal = proposed_policy(ctx, record_set) or Policy()
    fields = fields_of(ctx, record_set_id)
    return PlannedSet(
        record_set_id=str(record_set_id),
        number=record_set.number,
        kind=record_set.kind,
        records=record_set.records,
        fields=[_field(ctx, field, policy, proposal) for field in fields],
        kinds=[
            PlannedKind(kind=k, found=n, action=policy.action_for(k), proposed=proposal.action_for(k))
            for k, n in total(field.kinds for field in fields).items()
        ],
        other=policy.other,
    )


def _field(ctx: Context, field: Field, policy: Policy, proposal: Policy) -> PlannedField:
    name = field_name(ctx, field)
    rule, proposed = (p.fields.get(name, FieldRule("scan")) for p in (policy, proposal))
    return PlannedField(
        position=field.position,
        name=name,
        level=field.level,
        need=field.need,
        found=field.kinds,
        action=rule.action,
        kind=rule.kind,
        proposed=proposed.action,
        why=_why(field, proposed),
    )


def _why(field: Field, proposed: FieldRule) -> Why:
    if field.need == "excluded":
        return "excluded"
    reasons: dict[str, Why] = {"drop": "sensitive", "pseudonymise": "identifier", "generalise": "quasi_identifier"}
    return reasons.get(proposed.action, "text")
