"""Background work of redaction."""

from handover.jobs import JobHandler
from handover.redaction.run import check_residual, on_end, redact

JOBS = {
    "redaction.run": JobHandler(redact, on_end),
    "redaction.residual_check": JobHandler(check_residual),
}
