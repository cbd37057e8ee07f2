"""The redaction report of one run for one bidder."""

from typing import Any

from handover.attestations import law
from handover.attestations.facts import Facts, acted, counted, gates_now, worded
from handover.context import Context
from handover.detection import total
from handover.documents.document import Covered
from handover.i18n import Text
from handover.inventory.models import Copy, RecordSet
from handover.redaction.models import Redaction
from handover.redaction.plans import PlannedSet, planned_sets
from handover.redaction.queries import items_of, reviews_of

PREFIX = "RED"
TITLE = Text("脱敏报告", "Redaction report")
MODEL = Redaction


def gather(ctx: Context, row: Redaction) -> Facts:
    items, reviews = items_of(ctx, row.id), reviews_of(ctx, row)
    planned = planned_sets(ctx, row)
    covered = []
    for item in items:
        copy = ctx.session.get_one(Copy, item.output_copy_id)
        covered.append(Covered(kind="redacted_copy", id=str(copy.id), sha256=str((copy.blob or {})["header_sha256"])))
    return Facts(
        facts={
            "plan_sha256": row.plan_sha256,
            "record_sets": [
                {
                    "number": ctx.session.get_one(RecordSet, item.record_set_id).number,
                    "records_in": item.records_in,
                    "records_out": item.records_out,
                    "replaced": sum(item.counts.values()),
                    "residual_l4": int((item.residual or {}).get("L4", 0)),
                    "residual_l3": int((item.residual or {}).get("L3", 0)),
                    "k_min": item.k_min if item.k_min is not None else "",
                    "sampled": sum(r.sampled for r in reviews if r.record_set_id == item.record_set_id),
                    "errors": sum(r.errors for r in reviews if r.record_set_id == item.record_set_id),
                }
                for item in items
            ],
            "replaced_by_kind": total(item.counts for item in items),
            "kept_by_kind": total((item.residual or {}).get("kept", {}) for item in items),
            "rules": [rule for one in planned for rule in _rules(one)],
            "quasi_identifiers": [
                f"{one.number}: {field.name}" for one in planned for field in one.fields if field.action == "generalise"
            ],
            "mapping_key": "kept in the key ring, one per bidder; never in a package",
        },
        covered=covered,
        gates=gates_now(ctx, row, ["residual_clean", "k_anonymous", "sample_reviewed"]),
        signatories=[
            *([acted(ctx, row.reviewed_by, "legal", row.approved_at or ctx.now())] if row.reviewed_by else []),
            *([acted(ctx, row.approved_by, "legal", row.approved_at)] if row.approved_by and row.approved_at else []),
        ],
        not_proven=[
            Text(
                "去标识化信息仍属于个人信息（个保法第73条第3项）。",
                "De-identified data remains personal information (PIPL Art. 73(3)).",
            ),
            Text(
                "残留检查使用相同检测器与结构化列中的已知值；不排除未知的间接标识。",
                "The second scan used the same detectors and the values known from columns; unknown indirect identifiers are not excluded.",
            ),
        ],
        legal=[law.PIPL_51, law.PIPL_73],
        party_id=None,
    )


def _rules(planned: PlannedSet) -> list[dict[str, Any]]:
    """Whole fields first, then the kinds of hits in the running text of the others."""
    fields = [
        {
            "number": planned.number,
            "field": field.name,
            "kinds": counted(field.found),
            "action": worded(field.action),
        }
        for field in planned.fields
        if field.action != "scan"
    ]
    kinds = [
        {"number": planned.number, "field": "—", "kinds": counted({one.kind: one.found}), "action": worded(one.action)}
        for one in planned.kinds
    ]
    return fields + kinds
