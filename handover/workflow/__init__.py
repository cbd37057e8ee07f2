"""State machines as data: `workflows/*.toml` says what may happen, gates in the rooms compute whether it may now.

A transition is one step of the caller's unit of work: role, approvals and gates are checked, the state is moved by
compare-and-set, the audit entry, effects, jobs and documents follow, and all of it commits together or not at all.
"""

from handover.workflow.binding import (
    Condition,
    Effect,
    Gate,
    MachineBinding,
    Registry,
    RoleInCase,
    Stateful,
    failed,
    not_checked,
    passed,
)
from handover.workflow.engine import Workflow
from handover.workflow.errors import BlockedError, TransitionError, WorkflowDefinitionError
from handover.workflow.results import Fired, GateResult, Option

__all__ = [
    "BlockedError",
    "Condition",
    "Effect",
    "Fired",
    "Gate",
    "GateResult",
    "MachineBinding",
    "Option",
    "Registry",
    "RoleInCase",
    "Stateful",
    "TransitionError",
    "Workflow",
    "WorkflowDefinitionError",
    "failed",
    "not_checked",
    "passed",
]
