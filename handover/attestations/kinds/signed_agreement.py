"""The signed agreement with its evidence: the text in both languages, and for each signer how they signed."""

import uuid

from handover.accounts.queries import person_name
from handover.agreements.models import Agreement
from handover.agreements.queries import signers_of, text_of
from handover.attestations import law
from handover.attestations.facts import Facts, acted
from handover.cases.queries import member_roles, parties
from handover.context import Context
from handover.documents.document import Covered
from handover.i18n import Text

PREFIX = "AGR"
TITLE = Text("协议与签署存证", "Signed agreement with evidence")
MODEL = Agreement


def gather(ctx: Context, row: Agreement) -> Facts:
    signers = signers_of(ctx, row.id)
    text = text_of(ctx, row)
    buyers = {p.id for p in parties(ctx, row.case_id) if p.side == "buyer"}
    own = buyers & {row.party_id, row.counterparty_id}
    return Facts(
        facts={
            "agreement_kind": row.kind,
            "text_sha256": row.text_sha256,
            "in_force_at": row.in_force_at.isoformat() if row.in_force_at else "",
            "expires_at": row.expires_at.isoformat() if row.expires_at else "",
            "levels_covered": ", ".join(row.levels),
            "evidence": [
                {
                    "signer": person_name(ctx, s.person_id),
                    "capacity": s.capacity,
                    "signed_at": s.signed_at.isoformat() if s.signed_at else "",
                    "method": s.method or "",
                    "signature_level": s.level or "",
                    "text_sha256": s.text_sha256 or "",
                    "mandate": "given" if s.mandate_id else "none",
                    "request": str((s.evidence or {}).get("request", "")),
                }
                for s in signers
            ],
        },
        covered=[Covered(kind="agreement", id=str(row.id), sha256=row.text_sha256)],
        signatories=[
            acted(ctx, s.person_id, _role(ctx, row.case_id, s.person_id), s.signed_at, s.level or "")
            for s in signers
            if s.signed_at
        ],
        not_proven=[
            Text(
                "不证明签名等同于印章；级别如实标注，除扫描件外以服务器记录为据。",
                "That a signature equals a seal: its level is stated as it is and, but for stamped scans, rests on the server's record.",
            ),
            Text("不证明授权书内容的真实性。", "That the content of a mandate is true."),
        ],
        legal=[law.ESIGN_13, law.CIVIL_512, *([law.PIPL_21] if row.kind == "entrustment" else [])],
        party_id=next(iter(own), None),
        text=text,
    )


def _role(ctx: Context, case_id: uuid.UUID, person_id: uuid.UUID) -> str:
    held = member_roles(ctx, case_id, person_id)
    return held[0].role if held else ""
