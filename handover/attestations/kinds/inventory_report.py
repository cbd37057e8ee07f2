"""The inventory and classification report, issued when the inventory is frozen."""

from handover.attestations import law
from handover.attestations.facts import Facts, acted, approved_by, gates_now
from handover.cases.models import Case
from handover.compliance.queries import basis_of
from handover.context import Context
from handover.documents.document import Covered
from handover.i18n import Text
from handover.inventory.models import RecordSet
from handover.inventory.queries import copies_of, fields_of, record_sets_of

PREFIX = "INV"
TITLE = Text("数据清单与分类分级报告", "Data inventory and classification report")
MODEL = Case


def gather(ctx: Context, row: Case) -> Facts:
    sets = record_sets_of(ctx, row.id)
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
            "kinds_found": _kinds(ctx, sets),
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
            Text("不证明数据来源说明的真实性。", "That the seller's statement of the source is true."),
        ],
        legal=[law.PIPL_13, law.PIPL_51],
    )


def _kinds(ctx: Context, sets: list[RecordSet]) -> dict[str, int]:
    found: dict[str, int] = {}
    for record_set in sets:
        for field in fields_of(ctx, record_set.id):
            for kind, count in field.kinds.items():
                found[kind] = found.get(kind, 0) + count
    return dict(sorted(found.items()))
