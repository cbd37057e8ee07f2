"""The one error tree.

Every error that may reach a person carries a stable `code`, a `kind` that the web edge maps to an HTTP
status and the command line to an exit code, a message that says what was wrong, where, and what to do next.
Leaves live in the room or engine that raises them; foreign exceptions never escape a module's face.
"""

from enum import Enum
from typing import Any, ClassVar


class Kind(Enum):
    """What went wrong, in the terms on which status and exit code depend."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    BLOCKED = "blocked"
    GONE = "gone"
    PRECONDITION_FAILED = "precondition_failed"
    PRECONDITION_REQUIRED = "precondition_required"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    RANGE = "range"
    THROTTLED = "throttled"
    VERIFICATION = "verification"
    STORAGE_FULL = "storage_full"
    UNAVAILABLE = "unavailable"
    NOT_INITIALISED = "not_initialised"
    INTERNAL = "internal"


class HandoverError(Exception):
    """Base of all errors of this product; `details` holds machine-readable extras (JSON types only)."""

    code: ClassVar[str] = "error"
    kind: ClassVar[Kind] = Kind.INTERNAL

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidInputError(HandoverError):
    """A value that was sent in is wrong; `field` in the details names it."""

    code = "invalid_input"
    kind = Kind.INVALID


class NotFoundError(HandoverError):
    """The thing does not exist, or the actor may not know that it does: the two answer alike."""

    code = "not_found"
    kind = Kind.NOT_FOUND


class ForbiddenError(HandoverError):
    """The actor may see the thing but not do this to it."""

    code = "forbidden"
    kind = Kind.FORBIDDEN


class ConflictError(HandoverError):
    """Another request changed the thing first, or its state does not allow this."""

    code = "conflict"
    kind = Kind.CONFLICT


class VerificationError(HandoverError):
    """Something that was checked does not hold; the message names what."""

    code = "verification_failed"
    kind = Kind.VERIFICATION
