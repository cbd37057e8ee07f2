"""A destruction certificate with everything on it that people could write."""

import datetime as dt
import subprocess
from pathlib import Path
from typing import Any

import msgspec

from handover.documents.document import Covered, Document, GateLine, Signatory
from handover.i18n import Text

LONG_NAME = "欧阳" * 150
HOSTILE = "<script>alert(1)</script> {{7*7}} {% raw %} </style> & url(file:///etc/passwd)"
OVERRIDE = "contract_\u202egnp.exe"
#: Not in the fonts: only its code point tells it from another rare character.
UNDRAWABLE = "\U00020bb7"

_FACTS: dict[str, Any] = {
    "executor": "张䶮",
    "witness": "O'Brien",
    "party": LONG_NAME,
    "reason": HOSTILE,
    "note": OVERRIDE,
    "signer": f"{UNDRAWABLE}野",
    "key_absent": True,
    "executed_at": "2026-11-22T16:30:00+00:00",
    "claim": {"zh": "密钥已销毁", "en": "key destroyed"},
    "copies": [{"copy": "c-1", "sha256": "a" * 64}, {"copy": "c-2", "place": "only here"}],
}


def document(facts: dict[str, Any] | None = None, **changes: Any) -> Document:
    made = Document(
        kind="destruction_certificate",
        number="DST-HO-2026-0007-A1B2C3-1",
        issue=1,
        title=Text("销毁证明", "Destruction certificate"),
        case="HO-2026-0007",
        structure="asset_transfer",
        state="destruction",
        issuer="上海示例财税咨询有限公司",
        issuer_uscc="91310000MA1FL0000X",
        issued_at=dt.datetime(2026, 11, 23, 1, 2, 3, tzinfo=dt.UTC),
        facts=_FACTS if facts is None else facts,
        covered=[Covered(kind="package", id="018f", sha256="c" * 64)],
        gates=[
            GateLine(
                code="G17",
                name="retention_ok",
                passed=True,
                overridden=False,
                not_checked=[Text("培训", "Training of the executor")],
            )
        ],
        legal=["《个人信息保护法》第47条 / PIPL Art. 47 (2021-11-01)"],
        signatories=[
            Signatory(
                name="张䶮",
                role=Text("监销人", "Witness"),
                at="2026-11-23T00:00:00+00:00",
                level="record of this service",
            )
        ],
        not_proven=[Text("不排除登记之外的副本。", "Copies outside the register are not excluded.")],
        verification_url="http://127.0.0.1:8000/api/v1/verify/DST-HO-2026-0007-A1B2C3-1",
        checkpoint="handover/test\n12\nroot\n",
        demo=True,
    )
    return msgspec.structs.replace(made, **changes)


def text_of(pdf: bytes, folder: Path) -> str:
    """What poppler reads from the page, without breaks: lines wrap anywhere."""
    path = folder / "document.pdf"
    path.write_bytes(pdf)
    return "".join(poppler("pdftotext", "-raw", str(path), "-").split())


def poppler(*command: str) -> str:
    return subprocess.run(list(command), capture_output=True, text=True, check=True).stdout
