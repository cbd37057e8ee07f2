"""The destruction certificate: what was destroyed, how anybody tried to read it afterwards, and what is not claimed.

Fields follow NIST SP 800-88 Rev. 2, variant for logical copies: there is no device and no serial number to name.
"""

from handover import __version__
from handover.accounts.queries import person_name
from handover.attestations import law
from handover.attestations.facts import Facts, acted, approved_by, gates_now
from handover.context import Context
from handover.destruction.models import DestructionOrder
from handover.destruction.queries import items_of
from handover.i18n import Text

PREFIX = "DES"
TITLE = Text("销毁证明", "Destruction certificate")
MODEL = DestructionOrder


def gather(ctx: Context, row: DestructionOrder) -> Facts:
    items = items_of(ctx, row.id)
    key = dict(row.key_destruction or {})
    destroyed = [i for i in items if i.state == "done"]
    residual = [i for i in items if i.state == "residual"]
    return Facts(
        facts={
            "claim": {
                "zh": f"密钥已于 {key.get('at', '')} 在本安装中销毁，旧主密钥已更换。登记之外此前另行复制的密钥或磁盘以及存储残留不在排除之列。",
                "en": f"Key destroyed in this installation at {key.get('at', '')}; old master key replaced. Copies of keys or disks made earlier outside the register, and storage remanence, are not excluded.",
            },
            "method": "logical destruction by key destruction and deletion of objects; no NIST Purge or Destroy claim",
            "tool": f"handover {__version__}",
            "key_ring": key,
            "copies_destroyed": [
                {
                    "copy": str(i.copy_id),
                    "copy_kind": i.copy_kind,
                    "level": i.level,
                    "technique": i.method,
                    "ended_at": i.ended_at.isoformat() if i.ended_at else "",
                    "key_absent": bool((i.verification or {}).get("key_absent")),
                    "object_absent": bool((i.verification or {}).get("object_absent")),
                    "reading_refused": bool((i.verification or {}).get("decryption_refused")),
                }
                for i in destroyed
            ],
            "residual_copies": [
                {
                    "copy": str(i.copy_id),
                    "copy_kind": i.copy_kind,
                    "place": i.place,
                    "until": i.retained_until.isoformat() if i.retained_until else "",
                }
                for i in residual
            ],
            "approved_at": row.approved_at.isoformat() if row.approved_at else "",
            "executed_at": row.executed_at.isoformat() if row.executed_at else "",
            "executor": person_name(ctx, row.executed_by) if row.executed_by else "",
            "verified_at": row.verified_at.isoformat() if row.verified_at else "",
            "witness": person_name(ctx, row.verified_by) if row.verified_by else "",
        },
        gates=gates_now(ctx, row, ["hold_clear", "retention_clear", "verification_passed"]),
        signatories=[
            *approved_by(ctx, row.id, "approve"),
            *(
                [acted(ctx, row.executed_by, "destruction_executor", row.executed_at)]
                if row.executed_by and row.executed_at
                else []
            ),
            *([acted(ctx, row.verified_by, "witness", row.verified_at)] if row.verified_by and row.verified_at else []),
        ],
        not_proven=[
            Text(
                "不涵盖接收人、落选方持有的副本；其声明为自行声明。",
                "Copies held by recipients and losing bidders are not covered; their declarations are their own.",
            ),
            Text(
                "不涵盖登记之外的备份、快照与密钥副本。",
                "Backups, snapshots and copies of keys outside the register are not covered.",
            ),
            Text("不主张物理介质已被覆写或销毁。", "No physical medium is claimed to be overwritten or destroyed."),
        ],
        legal=[law.PIPL_47, law.NIST_800_88],
    )
