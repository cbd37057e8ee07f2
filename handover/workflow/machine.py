"""One shared `transitions.Machine` per definition, with that library's holes closed.

No automatic `to_<state>` triggers (they would walk around the gates), no queue shared by threads, no strings that are
imported and called, and no model is kept: a row is passed in and only its state is set.
"""

import logging
from functools import partial
from typing import Any

import transitions

from handover.workflow.definition import RESUME, Definition, Transition
from handover.workflow.errors import TransitionError

logging.getLogger("transitions").setLevel(logging.WARNING)


class StateMachine:
    """Answers which transition a trigger means for a row, and moves the row's state."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self._machine = transitions.Machine(
            model=None,
            states=list(definition.states),
            initial=definition.initial,
            auto_transitions=False,
            send_event=True,
            queued=False,
        )
        for row in definition.transitions:
            self._add(row)

    def leaving(self, state: str) -> list[Transition]:
        return [row for row in self.definition.transitions if state in row.source]

    def find(self, trigger: str, state: str) -> Transition:
        """The row that `trigger` means in `state`.

        Raises:
            TransitionError: it is not possible from there; says what is.
        """
        for row in self.leaving(state):
            if row.trigger == trigger:
                return row
        possible = ", ".join(row.trigger for row in self.leaving(state)) or "nothing"
        raise TransitionError(
            f"{trigger} is not possible for a {self.definition.name} in state {state}; possible now: {possible}",
            state=state,
            trigger=trigger,
        )

    def move(self, row: Any, trigger: str) -> None:
        """Sets the row's state through the machine; the caller has checked roles, approvals and gates.

        Raises:
            TransitionError: the machine refuses it.
        """
        try:
            moved = self._machine.events[trigger].trigger(row)
        except transitions.MachineError as error:
            raise TransitionError(f"{trigger} is not possible in state {row.state}") from error
        if not moved:
            raise TransitionError(f"{trigger}: there is no state to return to")

    def _add(self, row: Transition) -> None:
        if row.dest != RESUME:
            self._machine.add_transition(row.trigger, [*row.source], row.dest)
            return
        for state in self.definition.states:
            self._machine.add_transition(row.trigger, [*row.source], state, conditions=[partial(_returns_to, state)])


def _returns_to(state: str, event: Any) -> bool:
    return bool(event.model.resume_to == state)
