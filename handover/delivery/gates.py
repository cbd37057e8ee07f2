"""Judgements about deliveries: receipts, custody rows, and whether the handover as a whole is accepted."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from handover.context import Context
from handover.delivery.models import Delivery
from handover.delivery.queries import deliveries_of, items_of, receipt_of
from handover.packages.queries import closing_packages
from handover.settings import Settings
from handover.workflow import Condition, Gate, failed, not_checked, passed


def receipt_signed(ctx: Context, row: Delivery) -> Sequence[Condition]:
    """DEL-01: a receipt by the key inside the package is there, about the manifest that was released."""
    receipt = receipt_of(ctx, row.id)
    if receipt is None:
        return [failed("receipt_verified", "接收人尚未提交签收凭证", "the recipient has sent no receipt", "recipient")]
    found = [passed("receipt_verified")]
    if receipt.statement.get("defects"):
        count = receipt.statement["defects"]
        found.append(
            failed(
                "no_defects",
                f"签收凭证列出 {count} 处缺陷，请先处理争议",
                f"the receipt lists {count} defect(s); settle them first",
                "lead_consultant",
            )
        )
    return found


def custody_complete(ctx: Context, row: Delivery) -> Sequence[Condition]:
    """DEL-02: there are rows, and each was confirmed by who hands over, who receives and the witness."""
    if row.kind != "custody":
        return [
            failed(
                "is_custody",
                "这不是资料移交（无数据）",
                "this delivery is a package, not a custody handover",
                "consultant",
            )
        ]
    items = items_of(ctx, row.id)
    if not items:
        return [failed("rows_present", "移交清单为空", "the custody list is empty", "consultant")]
    open_rows = sum(1 for i in items if {str(i.handed_by), str(i.received_by), str(i.witness)} - set(i.confirmations))
    if open_rows:
        return [
            passed("rows_present"),
            failed(
                "rows_confirmed",
                f"{open_rows} 行尚未由移交人、接收人和监交人全部确认",
                f"{open_rows} row(s) lack a confirmation by giver, receiver or witness",
                "seller_admin",
                "buyer_admin",
                "witness",
            ),
        ]
    return [passed("rows_present"), passed("rows_confirmed")]


def acceptance_ok(ctx: Context, row: Any) -> Sequence[Condition]:
    """DEL-03: every closing package, or the custody handover, is accepted and the time to dispute it is over."""
    wanted = _custody(ctx, row) if row.structure == "equity_transfer" else _closing(ctx, row)
    conditions: list[Condition] = []
    window = dt.timedelta(days=ctx.get(Settings).policy.dispute_window_days)
    for name, delivery in wanted:
        if delivery is None or delivery.accepted_at is None:
            conditions.append(
                failed(
                    f"accepted:{name}",
                    f"{name} 尚未由双方签收",
                    f"{name} is not accepted by both signatories",
                    "buyer_signatory",
                    "seller_signatory",
                )
            )
        elif ctx.now() < delivery.accepted_at + window:
            until = delivery.accepted_at + window
            conditions.append(
                failed(
                    f"dispute_window:{name}",
                    f"争议期至 {until:%Y-%m-%d %H:%M} UTC",
                    f"the time to dispute runs until {until:%Y-%m-%d %H:%M} UTC",
                    "lead_consultant",
                )
            )
        else:
            conditions += [passed(f"accepted:{name}"), passed(f"dispute_window:{name}")]
    if not wanted:
        conditions.append(
            failed("handover_present", "还没有可签收的交接", "there is no handover to accept yet", "consultant")
        )
    return [
        *conditions,
        not_checked("working_day_calendar", "争议期按自然日计算", "the time to dispute is counted in calendar days"),
    ]


def _closing(ctx: Context, row: Any) -> list[tuple[str, Delivery | None]]:
    by_package = {d.package_id: d for d in deliveries_of(ctx, row.id)}
    return [(package.number, by_package.get(package.id)) for package in closing_packages(ctx, row.id)]


def _custody(ctx: Context, row: Any) -> list[tuple[str, Delivery | None]]:
    return [("custody", d) for d in deliveries_of(ctx, row.id) if d.kind == "custody"]


GATES = {
    "receipt_signed": Gate("DEL-01", receipt_signed),
    "custody_complete": Gate("DEL-02", custody_complete),
    "acceptance_ok": Gate("DEL-03", acceptance_ok),
}
