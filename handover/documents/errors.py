"""What can be wrong with a document."""

from handover.errors import HandoverError, Kind


class DocumentError(HandoverError):
    """A document could not be rendered or signed; nothing was issued."""

    code = "document_failed"
    kind = Kind.UNSUPPORTED


class TimestampError(DocumentError):
    """The timestamp authority did not answer, or not with a timestamp; trying later may help."""

    code = "timestamp_failed"
    kind = Kind.UNAVAILABLE


class DocumentVerificationError(HandoverError):
    """A PDF is not one of ours, or not as it was issued; the message says what is wrong."""

    code = "document_verification_failed"
    kind = Kind.VERIFICATION
