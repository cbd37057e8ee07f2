"""The data inventory (record of processing), with classification and over-collection, issued when the inventory is frozen.

What it lists follows PIPL art. 51, 55–56 and GDPR art. 30: purpose, source, system, period, persons, retention, copies.
"""

from typing import Any

from handover.attestations import law
from handover.attestations.facts import Facts, acted, approved_by, counted, gates_now, worded
from handover.cases.models import Case
from handover.cases.queries import parties, party_name
from handover.compliance.queries import basis_of, basis_texts
from handover.context import Context
from handover.documents.document import Covered
from handover.i18n import Text
from handover.inventory.classification import Classification, classification_of
from handover.inventory.models import RecordSet
from handover.inventory.queries import copies_of, facts_of, fields_of, record_sets_of

PREFIX = "INV"
TITLE = Text("数据清单与分类分级报告", "Data inventory and classification report")
MODEL = Case


def gather(ctx: Context, row: Case) -> Facts:
    sets = record_sets_of(ctx, row.id)
    classified = classification_of(ctx, row.id)
    rows = []
    for record_set in sets:
        basis = basis_of(ctx, record_set.id)
        fields = fields_of(ctx, record_set.id)
        rows.append(
            {
                "number": record_set.number,
                "record_kind": record_set.kind,
                "state": record_set.state,
                "format": record_set.format or "",
                "records": record_set.records,
                "persons": record_set.persons,
                "minors": record_set.minors,
                "level": record_set.level or "",
                "fields_required": sum(1 for f in fields if f.need == "required"),
                "fields_optional": sum(1 for f in fields if f.need == "optional"),
                "fields_excluded": sum(1 for f in fields if f.need == "excluded"),
                "basis": basis.basis if basis else "",
                "retention_until": basis.retention_until.isoformat() if basis and basis.retention_until else "",
            }
        )
    return Facts(
        facts={
            "record_sets": rows,
            "processing": _processing(ctx, row, sets),
            "levels": classified.levels,
            "kinds_found": classified.kinds,
            "classification": _fields(classified),
            "over_collection": [
                {
                    "number": f.record_set,
                    "field": f.field,
                    "level": f.level,
                    "need": worded(f"need_{f.need}" if f.need else ""),
                    "reason": f.reason or "",
                }
                for f in classified.without_purpose
            ],
            "persons_method": "; ".join(f"{s.number}: {s.persons_method}" for s in sets if s.persons_method),
            "copies_live": len(copies_of(ctx, row.id, live=True)),
        },
        covered=[
            Covered(kind="record_set", id=str(c.record_set_id), sha256=str(c.blob["header_sha256"]))
            for c in copies_of(ctx, row.id, kinds=["source"])
            if c.blob is not None
        ],
        gates=gates_now(ctx, row, ["inventory_ok", "basis_ok"]),
        signatories=[
            *(acted(ctx, s.reviewed_by, "custodian", s.approved_at or ctx.now()) for s in sets if s.reviewed_by),
            *approved_by(ctx, row.id, "freeze_inventory"),
        ],
        not_proven=[
            Text(
                "分级依据自动检测与人工确认；检测器不保证发现所有个人信息。",
                "Levels rest on detectors and on people's confirmation; detectors do not find everything.",
            ),
            Text(
                "“无目的字段”依据人工决定与自动建议；不证明其余字段均属必要。",
                "Fields without purpose follow people's decisions and the inspection's proposal; that all others are necessary is not proven.",
            ),
            Text("不证明数据来源说明的真实性。", "That the seller's statement of the source is true."),
        ],
        legal=[law.PIPL_13, law.PIPL_51],
    )


def _processing(ctx: Context, case: Case, sets: list[RecordSet]) -> list[dict[str, Any]]:
    """What people said of each record set, as a record of processing lists it."""
    owners = {p.id: party_name(ctx, p) or p.side for p in parties(ctx, case.id)}
    copies = copies_of(ctx, case.id, live=True)
    found = []
    for record_set in sets:
        said, basis = facts_of(ctx, record_set), basis_of(ctx, record_set.id)
        purpose = basis_texts(ctx, basis).purpose if basis else None
        found.append(
            {
                "number": record_set.number,
                "purpose": purpose or "",
                "controller": owners[record_set.owner_party_id],
                "source_statement": said.source_statement if said else "",
                "system": said.system if said else "",
                "period": said.period if said else "",
                "copies": sum(1 for copy in copies if copy.record_set_id == record_set.id),
            }
        )
    return found


def _fields(classified: Classification) -> list[dict[str, Any]]:
    return [
        {
            "number": field.record_set,
            "field": field.field,
            "level": field.level,
            "proposed_level": field.proposed_level,
            "kinds": counted(field.kinds),
            "need": worded(f"need_{field.need}" if field.need else ""),
        }
        for field in classified.fields
    ]
