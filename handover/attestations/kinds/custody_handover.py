"""The custody handover of an equity deal: what changed hands, by whom, to whom, before whom."""

from handover.accounts.queries import person_name
from handover.attestations import law
from handover.attestations.facts import Facts, approved_by, gates_now
from handover.context import Context
from handover.delivery.models import Delivery
from handover.delivery.queries import custody_view, items_of
from handover.i18n import Text

PREFIX = "CUS"
TITLE = Text("资料与权限移交清单", "Custody handover record")
MODEL = Delivery


def gather(ctx: Context, row: Delivery) -> Facts:
    rows = []
    for item in items_of(ctx, row.id):
        view = custody_view(ctx, item)
        rows.append(
            {
                "item_kind": item.kind,
                "what": view.what or "",
                "handed_by": person_name(ctx, item.handed_by),
                "received_by": person_name(ctx, item.received_by),
                "witness": person_name(ctx, item.witness),
                "at": item.at.isoformat(),
                "confirmed": len(item.confirmations),
                "note": view.note or "",
            }
        )
    return Facts(
        facts={"items": rows, "data_moved": False},
        gates=gates_now(ctx, row, ["custody_complete"]),
        signatories=approved_by(ctx, row.id, "accept_custody"),
        not_proven=[
            Text(
                "股权转让不改变个人信息处理者；本清单不构成数据转移。",
                "An equity transfer changes no controller; this record is no transfer of data.",
            ),
            Text(
                "凭据只登记更换事实，不含密钥本身。", "For credentials only the rotation is recorded, never the secret."
            ),
        ],
        legal=[law.REGS_14],
    )
