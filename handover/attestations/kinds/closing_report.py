"""The closing report: how the case went, what was overridden, which documents bear witness, what remains where."""

from sqlalchemy import select

from handover.accounts.queries import person_name
from handover.attestations.facts import Facts, acted, approved_by, gates_now
from handover.attestations.models import IssuedDocument
from handover.audit import queries as audit_queries
from handover.cases.models import Case
from handover.cases.queries import overrides_of
from handover.compliance.queries import declarations_of, ledger_view
from handover.context import Context
from handover.destruction.queries import orders_of
from handover.documents.document import Covered
from handover.i18n import Text
from handover.inventory.queries import copies_of
from handover.settings import Settings
from handover.workflow import Workflow

PREFIX = "CLS"
TITLE = Text("结项报告", "Closing report")
MODEL = Case


def gather(ctx: Context, row: Case) -> Facts:
    issued = list(
        ctx.session.scalars(select(IssuedDocument).where(IssuedDocument.case_id == row.id).order_by(IssuedDocument.id))
    )
    remaining = [c for c in copies_of(ctx, row.id) if c.state in {"retained", "declared", "live"}]
    overrides = [o for o in overrides_of(ctx, row.id) if o.confirmed_by]
    ledger = ledger_view(ctx, row.id)
    return Facts(
        facts={
            "timeline": _timeline(ctx, row),
            "workflow_versions": [
                {"machine": p.machine, "version": p.workflow_version, "sha256": p.sha256}
                for p in ctx.get(Workflow).pinned(ctx, row.id)
            ],
            "policy_differs": ctx.get(Settings).policy.differences(),
            "overrides": [
                {
                    "gate": o.gate,
                    "asked_by": person_name(ctx, o.requested_by),
                    "confirmed_by": person_name(ctx, o.confirmed_by) if o.confirmed_by else "",
                    "at": o.confirmed_at.isoformat() if o.confirmed_at else "",
                }
                for o in overrides
            ],
            "customers": {"in_ledger": ledger.subjects, "consent": ledger.consent, "restricted": ledger.restricted},
            "declarations": [
                {
                    "party": str(d.party_id),
                    "state": d.state,
                    "declared_kind": d.kind or "",
                    "copies": d.copies if d.copies is not None else "",
                    "standing": "self-declared, not verified by this system",
                }
                for d in declarations_of(ctx, row.id)
            ],
            "destruction_orders": [{"order": str(o.id), "state": o.state} for o in orders_of(ctx, row.id)],
            "copies_remaining": [
                {
                    "copy": str(c.id),
                    "copy_kind": c.kind,
                    "state": c.state,
                    "place": c.place,
                    "until": c.retained_until.isoformat() if c.retained_until else "",
                }
                for c in remaining
            ],
            "documents": [{"number": d.number, "sha256": d.sha256} for d in issued],
            "names": "the key of this case's names is destroyed after this report; documents and the log stay readable",
        },
        covered=[Covered(kind="document", id=d.number, sha256=d.sha256) for d in issued],
        gates=gates_now(ctx, row, ["orders_closed", "returns_settled", "log_ok"]),
        signatories=[acted(ctx, row.created_by, "lead_consultant", row.created_at), *approved_by(ctx, row.id, "close")],
        not_proven=[
            Text("接收方持续义务的履行不在本报告证明之内。", "That the recipient keeps its continuing duties."),
            Text(
                "日志的防篡改性以最后一个由他人持有的检查点为限。",
                "Tampering with the log is evident up to the last checkpoint that somebody else holds.",
            ),
        ],
    )


def _timeline(ctx: Context, row: Case) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    cursor: str | None = None
    while True:
        page = audit_queries.entries(ctx, case_id=row.id, cursor=cursor, limit=200)
        found += [
            {"at": e.time, "event": e.event, "from": e.from_state or "", "to": e.to_state or ""}
            for e in (view.entry for view in page.items)
            if e.entity == "case" and e.event.startswith("case.") and e.from_state != e.to_state
        ]
        cursor = page.next
        if cursor is None:
            return found
