"""How rooms tie their rows and judgements to the names in workflow files."""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import msgspec

from handover.context import Context
from handover.i18n import Text


class Condition(msgspec.Struct, frozen=True):
    """One thing a gate looked at; `passed` None means that it is not computed here and never assumed."""

    name: str
    passed: bool | None
    reason: Text | None = None
    who: tuple[str, ...] = ()


def passed(name: str) -> Condition:
    return Condition(name, passed=True)


def failed(name: str, zh: str, en: str, *who: str) -> Condition:
    """What is missing, in both languages, and the roles that must act."""
    return Condition(name, passed=False, reason=Text(zh, en), who=who)


def not_checked(name: str, zh: str, en: str) -> Condition:
    return Condition(name, passed=None, reason=Text(zh, en))


class Stateful(Protocol):
    """A row that a machine moves."""

    MACHINE: ClassVar[str]
    id: Any
    case_id: Any
    state: Any
    version: Any


@dataclass(frozen=True, slots=True)
class Gate:
    """A named judgement: `code` is its number in the gate table, `check` computes its conditions now."""

    code: str
    check: Callable[[Context, Any], Sequence[Condition]]
    #: Whether two persons may override it with a reason (listed in the closing report).
    overridable: bool = False
    #: What pages show of a judgement that takes long: what is known already. Firing always computes `check`.
    preview: Callable[[Context, Any], Sequence[Condition]] | None = None


Effect = Callable[[Context, Any, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class MachineBinding:
    """One machine, the table whose rows it moves, and what happens in the same transaction when it moves one."""

    machine: str
    model: type[Any]
    collection: str
    #: Loads a row that the actor may see; raises NotFoundError alike for a missing and a foreign id.
    load: Callable[[Context, uuid.UUID], Any]
    effects: Mapping[str, Effect] = field(default_factory=dict)
    #: What approvals are bound to; when it changes, they are void.
    approval_subject: Callable[[Context, Any], str] = lambda _ctx, _row: ""
    #: The person may not approve or fire these triggers without a fresh second factor.
    second_factor: frozenset[str] = frozenset()


class RoleInCase(msgspec.Struct, frozen=True):
    """A role that a person holds in a case; it approves from `effective_at` on."""

    role: str
    party_id: uuid.UUID | None
    effective_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Registry:
    """All names that workflow files may use, gathered once from the rooms."""

    machines: Mapping[str, MachineBinding]
    gates: Mapping[str, Gate]
    jobs: frozenset[str]
    documents: frozenset[str]
    roles: Callable[[Context, uuid.UUID], Sequence[RoleInCase]]
    overridden: Callable[[Context, Any, str], bool]
    require_second_factor: Callable[[Context], None]
