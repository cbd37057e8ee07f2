"""What can stand in the way of a transition."""

from typing import Any

from handover.errors import ConflictError, HandoverError, Kind


class WorkflowDefinitionError(HandoverError):
    """A workflow file is wrong, or differs from the one that a case was opened under; names the file and the place."""

    code = "workflow_definition"
    kind = Kind.NOT_INITIALISED


class TransitionError(ConflictError):
    """The state does not allow this transition."""

    code = "transition_not_allowed"


class BlockedError(HandoverError):
    """Gates do not pass; `gates` in the details lists every condition, what is missing and who must act."""

    code = "blocked"
    kind = Kind.BLOCKED

    def __init__(self, message: str, gates: list[dict[str, Any]]) -> None:
        super().__init__(message, gates=gates)
