"""The record of how a recipient's key was verified by two people of two sides."""

from handover.accounts.queries import person_name
from handover.attestations import law
from handover.attestations.facts import Facts, acted
from handover.cases.queries import visible_case
from handover.context import Context
from handover.crypto.safety_number import safety_number
from handover.documents.document import Covered
from handover.i18n import Text
from handover.recipients.models import Recipient
from handover.recipients.queries import channel, current_key, verifications

PREFIX = "KEY"
TITLE = Text("密钥指纹核验记录", "Key verification record")
MODEL = Recipient


def gather(ctx: Context, row: Recipient) -> Facts:
    key = current_key(ctx, row.id)
    if key is None:
        raise LookupError("a recipient that was activated has a key")
    done = [v for v in verifications(ctx, key.id) if v.matched]
    number = safety_number(key.recipient, visible_case(ctx, row.case_id).reference, str(row.person_id))
    return Facts(
        facts={
            "recipient": person_name(ctx, row.person_id),
            "recipient_person_id": str(row.person_id),
            "place": row.place,
            "key_kind": key.kind,
            "key_sha256": key.sha256,
            "safety_number": number.text,
            "safety_number_sha256": number.sha256,
            "possession_proven_at": key.proven_at.isoformat() if key.proven_at else "",
            "verified_at": key.verified_at.isoformat() if key.verified_at else "",
            "valid_until": key.expires_at.isoformat() if key.expires_at else "",
            "comparisons": [
                {
                    "verifier": person_name(ctx, v.person_id),
                    "side": v.side,
                    "channel": channel(ctx, v) or "",
                    "at": v.created_at.isoformat(),
                    "matched": v.matched,
                }
                for v in done
            ],
        },
        covered=[Covered(kind="recipient_key", id=str(key.id), sha256=key.sha256)],
        signatories=[acted(ctx, v.person_id, "", v.created_at) for v in done],
        not_proven=[
            Text("不证明私钥此后未被他人取得。", "That nobody else has obtained the private key since."),
            Text("不证明核对渠道未被冒用。", "That the channel of comparison was not impersonated."),
        ],
        legal=[law.PIPL_51],
        party_id=row.party_id,
    )
