"""The package attestation: what one package holds, for which key, sealed over its manifest."""

from handover.attestations import law
from handover.attestations.facts import Facts, acted, gates_now
from handover.context import Context
from handover.documents.document import Covered
from handover.i18n import Text
from handover.packages.models import Package
from handover.recipients.models import RecipientKey

PREFIX = "PKG"
TITLE = Text("数据包清单证明", "Package manifest attestation")
MODEL = Package


def gather(ctx: Context, row: Package) -> Facts:
    key = ctx.session.get_one(RecipientKey, row.key_id)
    return Facts(
        facts={
            "package_number": row.number,
            "purpose": row.purpose,
            "files": row.file_count,
            "content_size": row.content_size,
            "records": row.records,
            "persons": row.persons,
            "excluded_records": [
                {"reason": reason, "count": count} for reason, count in sorted(row.exclusions.items())
            ],
            "manifest_sha256": row.manifest_sha256 or "",
            "files_root": row.files_root or "",
            "ciphertext_sha256": row.ciphertext_sha256 or "",
            "ciphertext_size": row.size or 0,
            "header_sha256": row.header_sha256 or "",
            "encryption": f"age v1, one stanza {row.stanza_kind}, ChaCha20-Poly1305",
            "recipient_key_sha256": key.sha256,
            "receipt_key": row.receipt_key or "",
            "built_at": row.built_at.isoformat() if row.built_at else "",
            "test_decryption": "done with the file key before it was dropped",
        },
        covered=[
            Covered(kind="manifest", id=row.number, sha256=row.manifest_sha256 or ""),
            Covered(kind="package", id=str(row.id), sha256=row.ciphertext_sha256 or ""),
        ],
        gates=gates_now(ctx, row, ["basis_ok", "redaction_ok", "recipient_ok", "consent_ok", "objections_ok"]),
        signatories=[acted(ctx, row.created_by, "consultant", row.built_at or ctx.now())],
        not_proven=[
            Text(
                "不证明构建者未留存文件密钥；只能说明文件头恰有一个该类型的收件段。",
                "That the builder kept no copy of the file key: what can be said is that the header holds one stanza of this kind, made for this key.",
            ),
            Text(
                "试解密读回并打开了全部密文，逐文件比对了写入的字节；压缩内容在入库时核定摘要，成包后未再次解压核对。",
                "That compressed files unpack to their listed digests: these were determined when the files were taken in. "
                "The test decryption opened all that was written and compared it with what was given, compressed as it was.",
            ),
            Text("不证明接收人解密后的用途。", "What the recipient does after decryption."),
        ],
        legal=[law.PIPL_23 if row.purpose == "closing" else law.PIPL_51, law.REGS_14],
        party_id=row.party_id,
    )
