"""The handover acceptance receipt of one package."""

from handover.attestations import law
from handover.attestations.facts import Facts, acted, approved_by, gates_now
from handover.context import Context
from handover.delivery.models import Delivery
from handover.delivery.queries import receipt_of
from handover.documents.document import Covered
from handover.i18n import Text
from handover.packages.models import Package

PREFIX = "RCP"
TITLE = Text("交接签收单", "Handover acceptance receipt")
MODEL = Delivery


def gather(ctx: Context, row: Delivery) -> Facts:
    package = ctx.session.get_one(Package, row.package_id)
    receipt = receipt_of(ctx, row.id)
    if receipt is None:
        raise LookupError("a delivery that was accepted has a receipt")
    counts = receipt.statement["counts"]
    return Facts(
        facts={
            "package_number": package.number,
            "purpose": package.purpose,
            "designated_system": "this service",
            "entered_at": row.entered_at.isoformat() if row.entered_at else "",
            "identified_at": row.identified_at.isoformat() if row.identified_at else "",
            "manifest_sha256": receipt.statement["manifest_sha256"],
            "manifest_matches": receipt.statement["manifest_sha256"] == package.manifest_sha256,
            "expected": {
                "files": package.file_count,
                "size": package.content_size,
                "records": package.records,
                "persons": package.persons,
            },
            "received": counts,
            "defects": receipt.statement["defects"],
            "receipt_sha256": receipt.sha256,
            "verified_at_buyers_clock": receipt.statement["verified_at"],
        },
        covered=[
            Covered(kind="manifest", id=package.number, sha256=package.manifest_sha256 or ""),
            Covered(kind="receipt", id=str(receipt.id), sha256=receipt.sha256),
        ],
        gates=gates_now(ctx, row, ["receipt_signed"]),
        signatories=[
            acted(ctx, receipt.person_id, "recipient", receipt.created_at, "SSHSIG by the key inside the package"),
            *approved_by(ctx, row.id, "accept"),
        ],
        not_proven=[
            Text(
                "凭证证明有人访问了该数据包内部，不证明是谁。",
                "The receipt proves access to the inside of this package, not by whom.",
            ),
            Text("不证明数据内容的质量。", "The quality of the data."),
        ],
        legal=[law.CIVIL_512, law.PIPL_22 if package.purpose != "closing" else law.PIPL_23, law.REGS_14],
        party_id=row.party_id,
    )
