"""A party's own steps in a case, in the order of the transfer: done, their turn, waiting for somebody, or later.

Everything is read from rows that the reader may see; of another bidder nothing is read.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import msgspec

from handover.agreements.models import Agreement
from handover.agreements.queries import agreements_of, signers_of
from handover.cases.frame import ROAD, my_parties
from handover.cases.models import Case
from handover.cases.queries import members_of, parties, roles_of
from handover.compliance.queries import declarations_of
from handover.context import Context
from handover.delivery.models import Delivery
from handover.delivery.queries import deliveries_of, is_recipient, receipt_of
from handover.desk.people import OUT, Named, People
from handover.desk.work import who_must_act
from handover.destruction.queries import orders_of
from handover.i18n import Text
from handover.inventory.queries import record_sets_of
from handover.packages.queries import packages_of
from handover.recipients.models import Recipient
from handover.recipients.queries import current_key, recipients_of, verifications
from handover.redaction.queries import redactions_of
from handover.workflow import Option, Workflow

Standing = Literal["done", "now", "waiting", "later", "open"]
_SELLER = frozenset({"seller_admin", "seller_signatory"})
_BUYER = frozenset({"buyer_admin", "buyer_signatory"})


class MyStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step. `open` may be taken at any time and is never demanded."""

    title: Text
    standing: Standing
    place: str
    note: str = ""
    waits_for: list[Named] = []


class MyCase(msgspec.Struct, frozen=True, kw_only=True):
    """The steps, and whom to ask."""

    steps: list[MyStep]
    contacts: list[Named]


def my_case(ctx: Context, case: Case) -> MyCase:
    """What the reader has to do in a case, as one list."""
    reading = _Reading(ctx, case)
    found = [step for part in PARTS for step in part(reading)]
    return MyCase(steps=found, contacts=reading.people.leads(case.id))


def my_turn(ctx: Context, case: Case) -> MyStep | None:
    """The step that is the reader's to take now."""
    return next((step for step in my_case(ctx, case).steps if step.standing == "now"), None)


class _Reading:
    """What the parts ask about: the reader's roles and parties, and options of rows."""

    def __init__(self, ctx: Context, case: Case) -> None:
        self.ctx, self.case = ctx, case
        self.roles = frozenset(held.role for held in roles_of(ctx, case.id))
        self.mine = frozenset(my_parties(ctx, case.id))
        self.people = People(ctx, [case.id])
        self.out = any(p.id in self.mine and p.standing in OUT for p in parties(ctx, case.id))
        self.known = {member.person_id for member in members_of(ctx, case.id)}

    def reached(self, state: str) -> bool:
        """The case is in this stage or beyond it; a held case stands where it was held."""
        here = self.case.resume_to if self.case.state not in ROAD else self.case.state
        return here in ROAD and ROAD.index(here) >= ROAD.index(state)

    def holding(self, roles: Iterable[str], party_id: uuid.UUID | None = None) -> list[Named]:
        """People of roles that the reader may know of."""
        return [p for p in self.people.holding(self.case.id, roles, party_id) if p.id in self.known]

    def option(self, row: Case | Delivery | object, trigger: str) -> Option | None:
        workflow = self.ctx.get(Workflow)
        found = next((t for t in workflow.leaving(self.ctx, row) if t.trigger == trigger), None)
        return workflow.option(self.ctx, row, found) if found is not None else None

    def approval(self, row: object, trigger: str, title: Text, place: str) -> MyStep | None:
        """The step of giving one's approval; None where the row is not there yet."""
        option = self.option(row, trigger)
        if option is None:
            return None
        me = str(self.ctx.actor.person_id)
        if any(given.person_id == me for given in option.given):
            return MyStep(title=title, standing="done", place=place)
        if option.allowed and not option.blocked and self._missing(option):
            return MyStep(title=title, standing="now", place=place)
        who = self.holding(who_must_act(option), getattr(row, "party_id", None))
        return MyStep(title=title, standing="waiting", place=place, waits_for=[p for p in who if str(p.id) != me])

    def _missing(self, option: Option) -> bool:
        return any(self.roles & set(wanted) for wanted in option.missing_approvals)


def _agreements(at: _Reading) -> Iterator[MyStep]:
    titles = {
        "nda": Text("阅读并签署保密协议", "Read and sign the confidentiality agreement"),
        "entrustment": Text("签署委托处理协议", "Sign the entrustment agreement"),
        "undertaking": Text("签署受让方承诺书", "Sign the buyer's undertaking"),
        "closing_confirmation": Text("签署交割确认函", "Sign the closing confirmation"),
    }
    signed: dict[str, list[tuple[Agreement, str]]] = {}
    for row in agreements_of(at.ctx, at.case.id):
        for signer in signers_of(at.ctx, row.id):
            if signer.person_id == at.ctx.actor.person_id:
                signed.setdefault(row.kind, []).append((row, signer.state))
    if "nda" not in signed and not at.reached("inventory"):
        yield MyStep(
            title=titles["nda"],
            standing="waiting",
            place="nda",
            waits_for=at.holding(("lead_consultant", "consultant")),
        )
    for kind, title in titles.items():
        if kind in signed:
            yield _signature(at, title, signed[kind])


def _signature(at: _Reading, title: Text, rows: list[tuple[Agreement, str]]) -> MyStep:
    if any(row.state in {"sent", "partially_signed"} and state == "pending" for row, state in rows):
        return MyStep(title=title, standing="now", place="nda")
    if any(row.state in {"draft", "legal_review"} for row, _ in rows):
        return MyStep(title=title, standing="waiting", place="nda", waits_for=at.holding(("legal", "lead_consultant")))
    if any(state == "scan_uploaded" for _, state in rows):
        return MyStep(title=title, standing="waiting", place="nda", waits_for=at.holding(("legal",)))
    return MyStep(title=title, standing="done", place="nda")


def _inventory(at: _Reading) -> Iterator[MyStep]:
    if "seller_admin" not in at.roles:
        return
    upload, confirm = Text("上传客户记录", "Upload the customer records"), Text("确认清单", "Confirm the inventory")
    if at.reached("redaction"):
        yield MyStep(title=upload, standing="done", place="upload")
        yield MyStep(title=confirm, standing="done", place="confirm")
        return
    if not at.reached("inventory"):
        yield MyStep(title=upload, standing="later", place="upload")
        yield MyStep(title=confirm, standing="later", place="confirm")
        return
    has_some = bool(record_sets_of(at.ctx, at.case.id))
    yield MyStep(title=upload, standing="open" if has_some else "now", place="upload")
    step = at.approval(at.case, "freeze_inventory", confirm, "confirm") if has_some else None
    yield step or MyStep(title=confirm, standing="later", place="confirm")


def _redacted(at: _Reading) -> Iterator[MyStep]:
    if not at.roles & (_BUYER | {"recipient"}):
        return
    title = Text("查看脱敏资料", "Look at the redacted material")
    approved = any(r.state == "approved" and r.party_id in at.mine for r in redactions_of(at.ctx, at.case.id))
    if approved:
        yield MyStep(title=title, standing="open", place="view")
    elif not at.out:
        yield MyStep(title=title, standing="later", place="view")


def _key(at: _Reading) -> Iterator[MyStep]:
    mine = [r for r in recipients_of(at.ctx, at.case.id) if r.person_id == at.ctx.actor.person_id]
    title = Text("证明身份并登记公钥", "Prove who you are and register your key")
    for row in mine:
        yield _own_key(at, row, title)
    if not mine and "recipient" in at.roles and not at.out:
        yield MyStep(
            title=title, standing="waiting", place="key", waits_for=at.holding(("lead_consultant", "consultant"))
        )
    if at.roles & (_BUYER | _SELLER):
        yield from _comparisons(at)


def _own_key(at: _Reading, row: Recipient, title: Text) -> MyStep:
    match row.state:
        case "invited" | "identity_verified" | "key_submitted":
            return MyStep(title=title, standing="now", place="key")
        case "active":
            return MyStep(title=title, standing="done", place="key")
        case "identity_pending":
            waits = at.holding(("lead_consultant", "consultant", "legal"))
        case _:
            waits = at.holding(("lead_consultant", "security_officer", "buyer_admin", "buyer_signatory"), row.party_id)
    waits = [person for person in waits if person.id != row.person_id]
    return MyStep(title=title, standing="waiting", place="key", waits_for=waits)


def _comparisons(at: _Reading) -> Iterator[MyStep]:
    title = Text("核对接收人的安全码", "Compare the recipient's safety number")
    for row in recipients_of(at.ctx, at.case.id):
        theirs = row.party_id in at.mine and row.person_id != at.ctx.actor.person_id
        key = current_key(at.ctx, row.id) if theirs and row.state in {"fingerprint_pending", "active"} else None
        if key is None:
            continue
        done = any(v.matched and v.person_id == at.ctx.actor.person_id for v in verifications(at.ctx, key.id))
        if done or row.state == "fingerprint_pending":
            yield MyStep(
                title=title,
                standing="done" if done else "now",
                place=f"compare/{row.id}",
                note=at.people.name(row.person_id),
            )


def _release(at: _Reading) -> Iterator[MyStep]:
    if "seller_signatory" not in at.roles:
        return
    title, found = Text("批准放行数据包", "Approve the release of the package"), False
    for row in packages_of(at.ctx, at.case.id):
        step = at.approval(row, "approve", title, "approve")
        if row.state in {"approved", "released", "delivered", "accepted"}:
            step = MyStep(title=title, standing="done", place="approve")
        if step is not None:
            found = True
            yield msgspec.structs.replace(step, note=row.number)
    if not found and not at.reached("handover") and at.case.structure != "equity_transfer":
        yield MyStep(title=title, standing="later", place="approve")


def _handover(at: _Reading) -> Iterator[MyStep]:
    rows = [
        d for d in deliveries_of(at.ctx, at.case.id) if d.state not in {"revoked", "created"} or d.kind == "custody"
    ]
    opening, receipt = (
        Text("下载并打开数据包", "Download and open the package"),
        Text("提交签收凭证", "Send the receipt"),
    )
    if "recipient" in at.roles:
        own = [d for d in rows if is_recipient(at.ctx, d)]
        for row in own:
            waiting = row.state in {"link_issued", "downloading"}
            sent = receipt_of(at.ctx, row.id) is not None
            stopped = row.state in {"suspended", "locked", "expired"}
            yield MyStep(
                title=opening,
                standing=_of(stopped=stopped, now=waiting),
                place="open",
                waits_for=_lead(at, stopped=stopped),
            )
            yield MyStep(
                title=receipt,
                standing="done" if sent else "now" if row.state == "downloaded" else "later",
                place="receipt",
            )
        if not own and not at.out:
            yield MyStep(title=opening, standing="later", place="open")
            yield MyStep(title=receipt, standing="later", place="receipt")
    if at.roles & {"buyer_signatory", "seller_signatory"}:
        yield from _acceptance(at, rows)


def _of(*, stopped: bool, now: bool) -> Standing:
    return "waiting" if stopped else "now" if now else "done"


def _lead(at: _Reading, *, stopped: bool) -> list[Named]:
    return at.holding(("lead_consultant",)) if stopped else []


def _acceptance(at: _Reading, rows: list[Delivery]) -> Iterator[MyStep]:
    title, found = Text("确认签收", "Confirm the handover"), False
    for row in rows:
        trigger = "accept_custody" if row.kind == "custody" else "accept"
        place = "custody" if row.kind == "custody" else "receipt"
        step = at.approval(row, trigger, title, place)
        if row.state == "accepted":
            step = MyStep(title=title, standing="done", place=place)
        if step is not None:
            found = True
            yield step
    if not found and not at.out:
        yield MyStep(title=title, standing="later", place="receipt")


def _declaration(at: _Reading) -> Iterator[MyStep]:
    if not at.roles & _BUYER:
        return
    title = Text("声明已返还或销毁资料", "Declare that the material is returned or destroyed")
    for row in declarations_of(at.ctx, at.case.id):
        if row.party_id in at.mine:
            yield MyStep(
                title=title, standing="now" if row.state in {"requested", "overdue"} else "done", place="declare"
            )


def _destruction(at: _Reading) -> Iterator[MyStep]:
    if not at.roles & _SELLER:
        return
    title, found = Text("批准销毁", "Approve the destruction"), False
    for row in orders_of(at.ctx, at.case.id):
        found = True
        step = at.approval(row, "approve", title, "destroy")
        if row.approved_at is not None:
            step = MyStep(title=title, standing="done", place="destroy")
        yield step or MyStep(title=title, standing="later", place="destroy")
    if not found:
        yield MyStep(title=title, standing="later", place="destroy")


PARTS: tuple[Callable[[_Reading], Iterator[MyStep]], ...] = (
    _agreements,
    _inventory,
    _redacted,
    _key,
    _release,
    _handover,
    _declaration,
    _destruction,
)
