"""Who acts, when and in which language, and the one transaction in which they do it.

A `Context` is filled at the edge (HTTP request, job, command line); services receive it and never look at a request.
It commits when its block ends: state, audit entry and jobs together, or none of them.
"""

import contextlib
import datetime as dt
import logging
import secrets
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, cast

import msgspec

from handover.db import Database, Session
from handover.errors import ForbiddenError, HandoverError
from handover.i18n import Language

T = TypeVar("T")
logger = logging.getLogger("handover.context")


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts: a person with a session or token, the system itself (workers), or nobody yet (a login)."""

    kind: Literal["person", "system", "anonymous"]
    person_id: uuid.UUID | None = None
    #: Roles in the installation (`platform_admin`, …); roles in a case are looked up per case.
    roles: frozenset[str] = frozenset()
    #: None means all; a token may hold fewer.
    scopes: frozenset[str] | None = None
    session_id: uuid.UUID | None = None
    #: When this session last proved a second factor; acts that sign or release need a recent one.
    second_factor_at: dt.datetime | None = None

    @property
    def is_system(self) -> bool:
        return self.kind == "system"


SYSTEM = Actor(kind="system")
ANONYMOUS = Actor(kind="anonymous")


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def new_request_id() -> str:
    return secrets.token_hex(8)


@dataclass(slots=True)
class Context:
    """One unit of work."""

    session: Session
    actor: Actor
    language: Language
    request_id: str
    services: Mapping[type, object]
    clock: Callable[[], dt.datetime] = utc_now
    after_commit: list[Callable[[], None]] = field(default_factory=list)

    def now(self) -> dt.datetime:
        return self.clock()

    def get(self, kind: type[T]) -> T:
        """The installation's one object of this type (`Settings`, `Vault`, `AuditLog`, …)."""
        return cast("T", self.services[kind])

    def person(self) -> uuid.UUID:
        """The acting person's id.

        Raises:
            ForbiddenError: no person acts.
        """
        if self.actor.person_id is None:
            raise ForbiddenError("only a person who is logged in can do this")
        return self.actor.person_id

    @contextlib.contextmanager
    def as_system(self) -> Iterator["Context"]:
        """The same unit of work, acting as the system: effects that follow by rule from what a person did."""
        before, self.actor = self.actor, SYSTEM
        try:
            yield self
        finally:
            self.actor = before


class Installation:
    """The assembled services; the doors make one and open units of work on it."""

    def __init__(self, database: Database, services: Mapping[type, object], clock: Callable[[], dt.datetime] = utc_now):
        self.database = database
        self.services: dict[type, object] = {Database: database, **services}
        self.clock = clock

    def get(self, kind: type[T]) -> T:
        return cast("T", self.services[kind])

    @contextlib.contextmanager
    def unit_of_work(
        self, actor: Actor, *, language: Language = "zh", request_id: str | None = None, write: bool = True
    ) -> Iterator[Context]:
        """One transaction for one actor; what was put in `after_commit` runs once it is durable."""
        with self.database.transaction(write=write) as session:
            context: Any = Context(session, actor, language, request_id or new_request_id(), self.services, self.clock)
            yield context
        for callback in context.after_commit:
            try:
                callback()
            except HandoverError as error:  # what was to be done is done; what could not be removed is found later
                logger.warning("a change is stored, and what it no longer needs could not be removed: %s", error.code)
