"""What stands around every page of a case: its stages, its tabs, and whether the reader belongs here."""

import uuid
from typing import Any

import msgspec
from sqlalchemy import select

from handover.accounts.queries import me as person_view_of
from handover.cases import queries
from handover.cases.models import Case, Member
from handover.cases.queries import BUYER_ROLES
from handover.cases.separation import SELLER_ROLES
from handover.context import Context
from handover.errors import NotFoundError
from handover.i18n import Text
from handover.i18n.catalogue import catalogue
from handover.workflow import Workflow

#: The road of a transfer; the states beside it (on hold, frozen, cancelled) are shown as a mark.
ROAD = (
    "nda_pending",
    "inventory",
    "redaction",
    "packaging",
    "recipient_verification",
    "handover",
    "destruction",
    "closed",
)
#: They have pages of their own (`/my/…`), one task each.
PARTY_ROLES = SELLER_ROLES | BUYER_ROLES | {"recipient"}


class Step(msgspec.Struct, frozen=True):
    """One stage; `standing` is done, now or ahead."""

    state: str
    label: Text
    standing: str


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """The person whose page it is: the roles in the installation, and on which sides of cases they stand."""

    id: str
    name: str
    roles: frozenset[str]
    #: Works on cases or audits them: consultants, legal staff, custodians, witnesses, auditors.
    inside: bool
    #: Takes part as seller, buyer or recipient.
    party: bool


def reader(ctx: Context) -> Reader:
    """Who reads."""
    person = person_view_of(ctx)
    query = select(Member.role).where(Member.person_id == ctx.person(), Member.ended_at.is_(None)).distinct()
    held = frozenset(ctx.session.scalars(query))
    inside = bool(held - PARTY_ROLES or person.roles & {"consultant", "auditor"})
    return Reader(id=person.id, name=person.name, roles=person.roles, inside=inside, party=bool(held & PARTY_ROLES))


def case_page(ctx: Context, reference: str, tab: str) -> tuple[Case, dict[str, Any]]:
    """The case and the frame of its pages, for those who work on it or audit it.

    Raises:
        NotFoundError: no such case, or the reader takes part as seller, buyer or recipient only.
    """
    row = queries.case_by_reference(ctx, reference)
    if not {held.role for held in queries.roles_of(ctx, row.id)} - PARTY_ROLES:
        raise NotFoundError("there is no such case")
    return row, {**_frame(ctx, row), "tab": tab, "tabs": _tabs(ctx, row.reference)}


def party_page(ctx: Context, reference: str) -> tuple[Case, dict[str, Any]]:
    """The case and the frame of a party's pages, for everybody who takes part in it.

    Raises:
        NotFoundError: no such case, or the reader takes no part in it.
    """
    row = queries.case_by_reference(ctx, reference)
    return row, {**_frame(ctx, row), "my_parties": my_parties(ctx, row.id)}


def my_parties(ctx: Context, case_id: uuid.UUID) -> list[uuid.UUID]:
    """The parties for which the reader acts."""
    return list(dict.fromkeys(held.party_id for held in queries.roles_of(ctx, case_id) if held.party_id is not None))


def _frame(ctx: Context, row: Case) -> dict[str, Any]:
    states = ctx.get(Workflow).definition(ctx, row.id, Case.MACHINE).states
    return {
        "case": queries.case_view(ctx, row),
        "my_roles": frozenset(held.role for held in queries.roles_of(ctx, row.id)),
        "state_label": states[row.state].label,
        "held": row.state not in ROAD and row.state != "draft",
        "steps": _steps(row, {name: state.label for name, state in states.items()}),
    }


def _steps(row: Case, labels: dict[str, Text]) -> list[Step]:
    here = row.resume_to if row.state not in ROAD and row.resume_to else row.state
    reached = ROAD.index(here) if here in ROAD else -1
    ended = row.state == "closed"
    return [
        Step(name, labels[name], "done" if at < reached or ended else "now" if at == reached else "ahead")
        for at, name in enumerate(ROAD)
    ]


def _tabs(ctx: Context, reference: str) -> list[tuple[str, str, str]]:
    _ = catalogue(ctx.language).gettext
    base = f"/cases/{reference}"
    return [
        ("overview", base, _("Overview")),
        ("parties", f"{base}/parties", _("Parties")),
        ("nda", f"{base}/nda", _("Agreements")),
        ("records", f"{base}/records", _("Records")),
        ("redaction", f"{base}/redaction", _("Redaction")),
        ("consent", f"{base}/consent", _("Notice and consent")),
        ("recipients", f"{base}/recipients", _("Recipients")),
        ("packages", f"{base}/packages", _("Packages")),
        ("handover", f"{base}/handover", _("Handover")),
        ("destruction", f"{base}/destruction", _("Destruction")),
        ("documents", f"{base}/documents", _("Documents")),
        ("log", f"{base}/log", _("Log")),
    ]
