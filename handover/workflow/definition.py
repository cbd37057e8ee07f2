"""The form of a workflow file, decoded strictly: an unknown key or a wrong type is an error with its place."""

import hashlib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from handover.i18n import Text
from handover.workflow.errors import WorkflowDefinitionError
from handover.workflow.roles import ROLES

#: The destination that means "where it was held".
RESUME = "@resume"

Name = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]*$", max_length=64)]


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A state; `terminal` ones have no way out on purpose."""

    label: Text
    terminal: bool = False


class Transition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One row of a machine; `who` may fire it, `approvals` lists need one different person each."""

    trigger: Name
    source: list[Name]
    dest: str
    who: list[Name] = []
    approvals: list[list[Name]] = []
    gates: list[Name] = []
    audit: str
    jobs: list[str] = []
    documents: list[Name] = []
    label: Text
    reason: bool = False

    @property
    def allowed_roles(self) -> frozenset[str]:
        return frozenset(self.who).union(*self.approvals)


class Definition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One version of one machine; the first state is the initial one."""

    name: Name
    version: Annotated[int, Meta(ge=1)]
    states: dict[Name, State]
    transitions: list[Transition]

    @property
    def initial(self) -> str:
        return next(iter(self.states))


class Loaded(msgspec.Struct, frozen=True):
    """A definition with the digest of the bytes it came from."""

    definition: Definition
    sha256: str
    file: str


def read(path: Path) -> Loaded:
    """Decodes one file and checks it against itself.

    Raises:
        WorkflowDefinitionError: names the file, the place in it and what is wrong.
    """
    data = path.read_bytes()
    try:
        definition = msgspec.toml.decode(data, type=Definition)
    except msgspec.DecodeError as error:
        raise WorkflowDefinitionError(f"{path.name}: {error}") from error
    if path.name != f"{definition.name}.v{definition.version}.toml":
        raise WorkflowDefinitionError(
            f"{path.name}: holds {definition.name} version {definition.version}; rename the file"
        )
    for problem in _problems(definition):
        raise WorkflowDefinitionError(f"{path.name}: {problem}")
    return Loaded(definition, hashlib.sha256(data).hexdigest(), path.name)


def _problems(definition: Definition) -> list[str]:
    states = definition.states
    found: list[str] = []
    seen: set[tuple[str, str]] = set()
    for row in definition.transitions:
        found += [f"{row.trigger}: unknown state {s!r}" for s in row.source if s not in states]
        if row.dest not in states and row.dest != RESUME:
            found.append(f"{row.trigger}: unknown state {row.dest!r}")
        found += [f"{row.trigger}: unknown role {r!r}" for r in sorted(row.allowed_roles) if r not in ROLES]
        if not row.allowed_roles:
            found.append(f"{row.trigger}: nobody may fire it; set who or approvals")
        if len(row.approvals) == 1:
            found.append(f"{row.trigger}: one approval list is no separation; name two, or use who")
        found += [f"{row.trigger}: two rows leave {s!r}" for s in row.source if (row.trigger, s) in seen]
        seen.update((row.trigger, s) for s in row.source)
        found += [
            f"{row.trigger}: leaves the terminal state {s!r}" for s in row.source if s in states and states[s].terminal
        ]
    reached = _reachable(definition)
    found += [f"state {name!r} cannot be reached from {definition.initial!r}" for name in states if name not in reached]
    leaving = {s for row in definition.transitions for s in row.source}
    found += [
        f"state {n!r} has no way out; mark it terminal = true"
        for n, s in states.items()
        if n not in leaving and not s.terminal
    ]
    return found


def _reachable(definition: Definition) -> set[str]:
    reached, frontier = {definition.initial}, [definition.initial]
    while frontier:
        here = frontier.pop()
        for row in definition.transitions:
            if here in row.source and row.dest not in reached and row.dest != RESUME:
                reached.add(row.dest)
                frontier.append(row.dest)
    return reached
