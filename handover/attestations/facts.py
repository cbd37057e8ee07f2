"""What a kind of document gathers: facts in JSON types, and what surrounds them on the page."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from handover.accounts.queries import person_name
from handover.context import Context
from handover.documents.document import Covered, GateLine, Signatory
from handover.documents.templates import label
from handover.i18n import Text
from handover.workflow import GateResult, Workflow
from handover.workflow.approvals import approvers
from handover.workflow.roles import role_text


@dataclass(slots=True)
class Facts:
    """The gathered content of one document."""

    facts: dict[str, Any]
    covered: list[Covered] = field(default_factory=list)
    gates: list[GateLine] = field(default_factory=list)
    signatories: list[Signatory] = field(default_factory=list)
    not_proven: list[Text] = field(default_factory=list)
    legal: list[str] = field(default_factory=list)
    #: The bidder who may see the document; None keeps it to the team and the seller.
    party_id: uuid.UUID | None = None
    text: dict[str, Any] | None = None


def gates_now(ctx: Context, row: Any, names: list[str]) -> list[GateLine]:
    """Gates as they are at issue, with the conditions that nobody computed."""
    return [_line(result) for result in ctx.get(Workflow).evaluate(ctx, row, names)]


def approved_by(ctx: Context, entity_id: uuid.UUID, trigger: str) -> list[Signatory]:
    """Everyone whose approval moved the row."""
    return [
        acted(ctx, a.person_id, a.roles[0] if a.roles else "", a.created_at) for a in approvers(ctx, entity_id, trigger)
    ]


def acted(ctx: Context, person_id: uuid.UUID, role: str, at: Any, level: str = "record of this service") -> Signatory:
    return Signatory(name=person_name(ctx, person_id), role=role_text(role), at=at.isoformat(), level=level)


def worded(name: str) -> Text:
    """A word of the service in both languages; a dash for none."""
    return label(name) if name else Text("—", "—")


def counted(kinds: dict[str, int]) -> Text:
    """What was found, in words, the commonest first."""
    found = sorted(kinds.items(), key=lambda item: -item[1])
    if not found:
        return Text("—", "—")
    return Text(
        "、".join(f"{label(kind).zh} {count}" for kind, count in found),
        ", ".join(f"{label(kind).en} {count}" for kind, count in found),
    )


def _line(result: GateResult) -> GateLine:
    unchecked = [c.reason for c in result.conditions if c.passed is None and c.reason is not None]
    return GateLine(
        code=result.code,
        name=result.name,
        passed=result.passed,
        overridden=result.overridden,
        not_checked=unchecked,
    )
