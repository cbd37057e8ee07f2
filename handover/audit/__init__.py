"""The tamper-evident log: append, checkpoint, prove, verify.

Tampering is evident up to the last checkpoint that someone else holds; nothing here prevents it. Verifying needs the
base install only, so the service (and with it the database) is loaded when it is first asked for.
"""

from typing import TYPE_CHECKING, Any

from handover.audit.entry import Entry, GateRecord, reason_digest
from handover.audit.errors import AuditEntryError, AuditVerificationError

if TYPE_CHECKING:
    from handover.audit.log import AuditLog

__all__ = ["AuditEntryError", "AuditLog", "AuditVerificationError", "Entry", "GateRecord", "reason_digest"]


def __getattr__(name: str) -> Any:
    if name != "AuditLog":
        raise AttributeError(name)
    from handover.audit.log import AuditLog

    return AuditLog
