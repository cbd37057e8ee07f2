"""What can be wrong with the log: an entry that may not be written, or evidence that does not hold."""

from handover.errors import HandoverError, Kind, VerificationError


class AuditEntryError(HandoverError):
    """An entry was refused before it was written, because it is not of the form that keeps personal data out."""

    code = "audit_entry_refused"
    kind = Kind.INTERNAL


class AuditVerificationError(VerificationError):
    """The log, an export, a checkpoint or a proof does not hold.

    `first` and `last` are the indexes between which the entries differ from what was attested: equal where a single
    entry can be named, None where no entry is concerned. `problem` is a stable word for programs.
    """

    code = "audit_verification_failed"

    def __init__(self, message: str, problem: str, first: int | None = None, last: int | None = None) -> None:
        super().__init__(message, problem=problem, first=first, last=last)
        self.problem = problem
        self.first = first
        self.last = last
