"""Background work of redaction."""

from handover.jobs import JobHandler
from handover.redaction.run import check_residual, merge, on_end, redact_part, start

JOBS = {
    "redaction.run": JobHandler(start, on_end),
    "redaction.part": JobHandler(redact_part, on_end),
    "redaction.merge": JobHandler(merge, on_end),
    "redaction.residual_check": JobHandler(check_residual),
}
