"""Fires transitions: who may, who approved, what the gates say now; then state, audit entry, effects and jobs together."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import select

from handover import jobs
from handover.audit import AuditLog
from handover.context import Context
from handover.errors import ForbiddenError, InvalidInputError
from handover.workflow import approvals
from handover.workflow.binding import Gate, MachineBinding, Registry, RoleInCase
from handover.workflow.definition import Definition, Transition
from handover.workflow.errors import BlockedError
from handover.workflow.gating import compute, for_audit
from handover.workflow.loader import Machines
from handover.workflow.machine import StateMachine
from handover.workflow.models import WorkflowPin
from handover.workflow.reasons import keep_reason
from handover.workflow.results import Fired, GateResult, Option

#: The job that issues a document; the room above the stages binds it.
ISSUE_DOCUMENT = "attestations.issue"
#: Key in `Session.info`.
_PINS = "handover.workflow.pins"


class Workflow:
    """The service through which every stateful row moves."""

    def __init__(self, machines: Machines, registry: Registry) -> None:
        self._machines = machines
        self._registry = registry

    def binding(self, machine: str) -> MachineBinding:
        return self._registry.machines[machine]

    def machines(self) -> list[str]:
        return self._machines.names()

    def definition(self, ctx: Context, case_id: uuid.UUID, machine: str) -> Definition:
        """The version of a machine that a case runs under; the newest one before it is pinned."""
        pin = self._pins(ctx, case_id).get(machine)
        return self._machines.newest(machine).definition if pin is None else self._pinned(pin).definition

    def newest(self, machine: str) -> Definition:
        """The version that new cases get."""
        return self._machines.newest(machine).definition

    def leaving(self, ctx: Context, row: Any) -> list[Transition]:
        """The transitions that leave a row's state, without computing what blocks them."""
        return self._machine(ctx, row).leaving(row.state)

    def initial(self, machine: str) -> str:
        return self._machines.newest(machine).definition.initial

    def pin(self, ctx: Context, case_id: uuid.UUID) -> None:
        """Fixes the newest version of every machine for a case that is being opened."""
        details: dict[str, str | int] = {}
        for name in self._machines.names():
            loaded = self._machines.newest(name)
            version = loaded.definition.version
            ctx.session.add(WorkflowPin(case_id=case_id, machine=name, workflow_version=version, sha256=loaded.sha256))
            details[name] = f"v{version} {loaded.sha256}"
        ctx.session.flush()
        ctx.get(AuditLog).append(
            ctx, "workflow.pinned", entity="case", entity_id=case_id, case_id=case_id, details=details
        )

    def pinned(self, ctx: Context, case_id: uuid.UUID) -> list[WorkflowPin]:
        query = select(WorkflowPin).where(WorkflowPin.case_id == case_id).order_by(WorkflowPin.machine)
        return list(ctx.session.scalars(query))

    def fire(
        self,
        ctx: Context,
        row: Any,
        trigger: str,
        *,
        reason: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> Fired:
        """Moves `row` by `trigger`, or records the actor's approval while others are awaited.

        Raises:
            TransitionError: the state does not allow it.
            ForbiddenError: the actor has no role that may.
            BlockedError: a gate does not pass; lists every condition.
            ApprovalError: the same person approved before.
            ConflictError: another request moved the row first.
        """
        machine = self._machine(ctx, row)
        transition = machine.find(trigger, row.state)
        role = self._authorise(ctx, row, transition)
        if transition.reason and not (reason or "").strip():
            raise InvalidInputError(f"{trigger} needs a reason", field="reason")
        gates = self.evaluate(ctx, row, transition.gates)
        closed = [gate for gate in gates if not gate.open]
        if closed:
            names = ", ".join(f"{gate.code} {gate.name}" for gate in closed)
            raise BlockedError(f"{trigger} is blocked by {names}", [msgspec.to_builtins(gate) for gate in closed])
        if transition.approvals and not ctx.actor.is_system:
            pending = self._approve(ctx, row, transition, gates, role)
            if pending is not None:
                return pending
        return self._move(ctx, row, machine, transition, gates, role, reason, details or {})

    def evaluate(self, ctx: Context, row: Any, names: Sequence[str]) -> list[GateResult]:
        """Computes gates now, for a transition, a list of options, or again inside a worker."""
        return [compute(ctx, row, name, self._registry.gates[name], self._registry.overridden) for name in names]

    def require(self, ctx: Context, row: Any, names: Sequence[str]) -> list[GateResult]:
        """Like `evaluate`, for a worker that must not go on when a gate closed since the click.

        Raises:
            BlockedError: a gate does not pass.
        """
        gates = self.evaluate(ctx, row, names)
        closed = [gate for gate in gates if not gate.open]
        if closed:
            message = ", ".join(f"{gate.code} {gate.name}" for gate in closed)
            raise BlockedError(f"blocked by {message}", [msgspec.to_builtins(gate) for gate in closed])
        return gates

    def gate(self, name: str) -> Gate:
        return self._registry.gates[name]

    def gate_named(self, code_or_name: str) -> tuple[str, Gate] | None:
        """A gate by its name or its code (`G04`)."""
        for name, gate in self._registry.gates.items():
            if code_or_name in {name, gate.code}:
                return name, gate
        return None

    def options(self, ctx: Context, row: Any) -> list[Option]:
        """Every transition that leaves the row's state, with what blocks it and who must act."""
        return [self.option(ctx, row, transition) for transition in self.leaving(ctx, row)]

    def option(self, ctx: Context, row: Any, transition: Transition) -> Option:
        """One transition that leaves the row's state; gates that take long show what is known already."""
        gates = [
            compute(ctx, row, name, self._registry.gates[name], self._registry.overridden, preview=True)
            for name in transition.gates
        ]
        subject = self.binding(row.MACHINE).approval_subject(ctx, row) if transition.approvals else ""
        given = approvals.standing(ctx, row, transition, subject) if transition.approvals else []
        return Option(
            trigger=transition.trigger,
            label=transition.label,
            dest=transition.dest,
            who=sorted(transition.allowed_roles),
            approvals=transition.approvals,
            automatic=transition.who == ["system"],
            allowed=bool(self._roles(ctx, row) & transition.allowed_roles),
            blocked=any(not gate.open for gate in gates),
            reason_needed=transition.reason,
            gates=gates,
            given=approvals.given(given),
            missing_approvals=approvals.missing(transition.approvals, given),
        )

    def void_approvals(self, ctx: Context, row: Any) -> None:
        """What people approved has changed: their approvals no longer count."""
        approvals.spend(ctx, row)

    def _machine(self, ctx: Context, row: Any) -> StateMachine:
        return self._pinned(self._pins(ctx, row.case_id)[row.MACHINE])

    def _pins(self, ctx: Context, case_id: uuid.UUID) -> dict[str, WorkflowPin]:
        """The versions of a case by machine: they never change, so one unit of work reads them once."""
        known: dict[uuid.UUID, dict[str, WorkflowPin]] = ctx.session.info.setdefault(_PINS, {})
        if not known.get(case_id):
            self.read_pins(ctx, [case_id])
        return known[case_id]

    def read_pins(self, ctx: Context, case_ids: Sequence[uuid.UUID]) -> None:
        """Reads the versions of many cases at once, for a page that asks for each of them."""
        known: dict[uuid.UUID, dict[str, WorkflowPin]] = ctx.session.info.setdefault(_PINS, {})
        known.update({case_id: {} for case_id in case_ids})
        for pin in ctx.session.scalars(select(WorkflowPin).where(WorkflowPin.case_id.in_(case_ids))):
            known[pin.case_id][pin.machine] = pin

    def _pinned(self, pin: WorkflowPin) -> StateMachine:
        return self._machines.pinned(pin.machine, pin.workflow_version, pin.sha256)

    def _roles(self, ctx: Context, row: Any) -> frozenset[str]:
        if ctx.actor.is_system:
            return frozenset({"system"})
        return frozenset(held.role for held in self._registry.roles(ctx, row.case_id))

    def _authorise(self, ctx: Context, row: Any, transition: Transition) -> str:
        if ctx.actor.is_system:
            # A rule that follows from what people did may fire what they may fire, except what needs their approval.
            if "system" in transition.who:
                return "system"
            raise ForbiddenError(f"{transition.trigger} needs a person")
        held: list[RoleInCase] = [
            r for r in self._registry.roles(ctx, row.case_id) if r.role in transition.allowed_roles
        ]
        if not held:
            needed = ", ".join(sorted(transition.allowed_roles))
            raise ForbiddenError(
                f"{transition.trigger} needs one of these roles: {needed}", roles=sorted(transition.allowed_roles)
            )
        if transition.approvals:
            held = [r for r in held if r.effective_at <= ctx.now()]
            if not held:
                raise ForbiddenError(
                    "your role was given too recently to approve; it counts after the waiting period of the policy"
                )
        if transition.approvals or transition.trigger in self.binding(row.MACHINE).second_factor:
            self._registry.require_second_factor(ctx)
        return held[0].role

    def _approve(
        self, ctx: Context, row: Any, transition: Transition, gates: list[GateResult], role: str
    ) -> Fired | None:
        subject = self.binding(row.MACHINE).approval_subject(ctx, row)
        # A person who may fire it but stands on no list must wait until the lists are filled.
        if self._roles(ctx, row) & frozenset().union(*transition.approvals):
            approvals.record(ctx, row, transition, subject, self._roles(ctx, row))
        given = approvals.standing(ctx, row, transition, subject)
        missing = approvals.missing(transition.approvals, given)
        if not missing:
            return None
        index = ctx.get(AuditLog).append(
            ctx,
            f"{transition.audit}.approved",
            entity=row.MACHINE,
            entity_id=row.id,
            case_id=row.case_id,
            from_state=row.state,
            to_state=row.state,
            role=role,
            gates=for_audit(gates),
            details={"subject_sha256": approvals.subject_digest(subject), "missing": len(missing)},
        )
        return Fired(
            machine=row.MACHINE,
            id=str(row.id),
            trigger=transition.trigger,
            state=row.state,
            version=row.version,
            pending=True,
            approvals=approvals.given(given),
            missing_approvals=missing,
            gates=gates,
            audit_index=index,
        )

    def _move(
        self,
        ctx: Context,
        row: Any,
        machine: StateMachine,
        transition: Transition,
        gates: list[GateResult],
        role: str,
        reason: str | None,
        details: Mapping[str, Any],
    ) -> Fired:
        before = row.state
        subject = self.binding(row.MACHINE).approval_subject(ctx, row)
        given = approvals.standing(ctx, row, transition, subject) if transition.approvals else []
        machine.move(row, transition.trigger)
        ctx.session.flush()  # the UPDATE compares the version that was read: of two racing clicks one wins here
        index = ctx.get(AuditLog).append(
            ctx,
            transition.audit,
            entity=row.MACHINE,
            entity_id=row.id,
            case_id=row.case_id,
            from_state=before,
            to_state=row.state,
            role=role,
            gates=for_audit(gates),
            reason=keep_reason(ctx, row, transition.trigger, reason),
            details={f"approver_{n}": str(a.person_id) for n, a in enumerate(given, 1)},
        )
        approvals.spend(ctx, row, transition.trigger)
        effect = self.binding(row.MACHINE).effects.get(transition.trigger)
        if effect is not None:
            effect(ctx, row, {**details, "from_state": before})
        for kind in transition.jobs:
            jobs.put(ctx, kind, case_id=row.case_id, entity_id=row.id)
        for kind in transition.documents:
            jobs.put(ctx, ISSUE_DOCUMENT, case_id=row.case_id, document=kind, entity_id=row.id)
        ctx.session.flush()
        return Fired(
            machine=row.MACHINE,
            id=str(row.id),
            trigger=transition.trigger,
            state=row.state,
            version=row.version,
            pending=False,
            approvals=approvals.given(given),
            missing_approvals=[],
            gates=gates,
            audit_index=index,
        )
