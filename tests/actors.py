"""People of a test, enrolled and logged in through the real application, and the clock by which they act."""

import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import Any

import httpx
import pyotp
from litestar.testing import TestClient

from handover.accounts import people, sessions
from handover.context import ANONYMOUS, SYSTEM, Actor, Context, Installation
from handover.settings import Settings

PASSWORD = "correct horse battery staple 测试"
ADDRESS = "https://handover.example"
_STEP = dt.timedelta(seconds=30)


class Clock:
    """The time of an installation: runs with the real one, can be moved on, and can be stopped."""

    def __init__(self) -> None:
        self._ahead = dt.timedelta()
        self._stopped: dt.datetime | None = None

    def __call__(self) -> dt.datetime:
        return (self._stopped or dt.datetime.now(dt.UTC)) + self._ahead

    def advance(self, **duration: float) -> None:
        """Moves on by `timedelta(**duration)`."""
        self._ahead += dt.timedelta(**duration)

    def stop(self) -> dt.datetime:
        """Holds the time that it is; `advance` still moves it."""
        self._stopped = dt.datetime.now(dt.UTC)
        return self()


class Someone:
    """A person with an account and a session."""

    def __init__(self, actors: "Actors", email: str, enrolled: people.Enrolled) -> None:
        self._actors, self.email, self.id = actors, email, enrolled.person_id
        self.totp_secret = enrolled.totp_secret
        self._last_step = -1
        self.token = ""
        self.csrf_token = ""

    def totp(self) -> str:
        """A code that was not used yet; moves the clock on when this step's is spent."""
        clock = self._actors.clock
        assert self.totp_secret is not None
        while (step := int(clock().timestamp()) // int(_STEP.total_seconds())) <= self._last_step:
            clock.advance(seconds=1)
        self._last_step = step
        return pyotp.TOTP(self.totp_secret).at(clock())

    def log_in(self) -> "Someone":
        """A new session, with a fresh second factor."""
        made = sessions.log_in(
            self._actors.installation,
            email=self.email,
            password=PASSWORD,
            totp=self.totp(),
            telephone_code=None,
            language="en",
            request_id="test",
        )
        self.token, self.csrf_token = made.token, made.csrf_token
        return self

    @property
    def actor(self) -> Actor:
        """Who the session's token says it is, now."""
        with self._actors.installation.unit_of_work(ANONYMOUS, write=False) as ctx:
            return sessions.authenticate(ctx, self.token)

    @contextlib.contextmanager
    def acting(self, *, write: bool = True) -> Iterator[Context]:
        """A unit of work of this person, without HTTP."""
        with self._actors.installation.unit_of_work(self.actor, language="en", write=write) as ctx:
            yield ctx

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """A request with this person's token; paths are below /api/v1 unless they begin with /."""
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        url = path if path.startswith("/") else f"/api/v1/{path}"
        if body is not None:
            more["json"] = body
        return self._actors.client.request(method, url, headers=headers, **more)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        return self.call("POST", path, {} if body is None else body, **more)


class Actors:
    """Makes people by name: `actors("lead", "consultant")` is always the same enrolled, logged-in person."""

    def __init__(self, installation: Installation, client: TestClient[Any], clock: Clock) -> None:
        self.installation, self.client, self.clock = installation, client, clock
        self._known: dict[str, Someone] = {}

    def __call__(self, name: str, *roles: str) -> Someone:
        if name not in self._known:
            self._known[name] = self.enrol(name, *roles).log_in()
        return self._known[name]

    def enrol(self, name: str, *roles: str) -> Someone:
        """Invited by the system, link and code accepted, TOTP chosen; not logged in yet."""
        email = f"{name}@people.example"
        with self.installation.unit_of_work(SYSTEM) as ctx:
            invited = people.invite(ctx, email=email, name=name, language="zh", organisation_roles=list(roles))
        enrolled = people.accept(
            self.installation,
            token_of(invited),
            code=invited.code,
            password=PASSWORD,
            second_factor="totp",
            request_id="test",
        )
        return Someone(self, email, enrolled)

    @property
    def settings(self) -> Settings:
        return self.installation.get(Settings)


def token_of(invited: people.Invited) -> str:
    """The secret part of an invitation's link."""
    return invited.link.rsplit("/", 1)[1]
