"""The kinds of documents, one module each: what it is called, which row it is about, and how its facts are gathered."""

from types import ModuleType

from handover.attestations.kinds import (
    closing_report,
    custody_handover,
    destruction_certificate,
    handover_receipt,
    inventory_report,
    key_verification,
    package_attestation,
    redaction_report,
    signed_agreement,
)

KINDS: dict[str, ModuleType] = {
    "signed_agreement": signed_agreement,
    "inventory_report": inventory_report,
    "redaction_report": redaction_report,
    "package_attestation": package_attestation,
    "key_verification": key_verification,
    "handover_receipt": handover_receipt,
    "custody_handover": custody_handover,
    "destruction_certificate": destruction_certificate,
    "closing_report": closing_report,
}
