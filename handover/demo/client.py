"""One person of the demo: logged in as themselves, speaking to the real HTTP API and nothing else."""

import base64
import time
from pathlib import Path
from typing import Any

import httpx
import pyotp

from handover.demo.wire import Wire

_WAIT_SECONDS = 240.0
_TOTP_SECONDS = 30
PASSWORD = "correct horse battery staple 演示"  # noqa: S105  (of invented people on a throw-away installation)


class RefusedError(Exception):
    """The API said no; `problem` is its problem details."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code')}: {problem.get('detail')} {_reasons(problem)}")
        self.status, self.problem = status, problem
        self.code = str(problem.get("code"))


class Person:
    """Someone with an account."""

    #: Seconds that `wait` waits.
    patience = 240.0

    def __init__(self, address: str, name: str, email: str) -> None:
        self.name, self.email = name, email
        self.id = ""
        self._wire = Wire(address, _check)
        self._totp = ""
        self._invited: list[Person] = []

    def close(self) -> None:
        """Hangs up, and so does everyone whom this person invited."""
        self._wire.http.close()
        for person in self._invited:
            person.close()

    def enrol(self, invitation: dict[str, Any]) -> None:
        """Opens the link, types the code that came another way, and logs in with a second factor."""
        token = invitation["link"].rsplit("/", 1)[1]
        self.get(f"/invitations/open/{token}")
        body = {"code": invitation["code"], "password": PASSWORD, "second_factor": "totp"}
        done = self.post(f"/invitations/open/{token}", body)
        self.id, self._totp = done["person_id"], done["totp_secret"]
        self.log_in()

    def log_in(self) -> None:
        """A code is good for one login: when the answer to that was lost, the next code is awaited."""
        try:
            made = self.post("/sessions", self._proof())
        except RefusedError as error:
            if error.code != "login_failed":
                raise
            time.sleep(_TOTP_SECONDS - time.time() % _TOTP_SECONDS)
            made = self.post("/sessions", self._proof())
        self._wire.http.headers["Authorization"] = f"Bearer {made['token']}"

    def _proof(self) -> dict[str, str]:
        return {"email": self.email, "password": PASSWORD, "totp": pyotp.TOTP(self._totp).now()}

    @property
    def authorization(self) -> str:
        """The header that proves the session."""
        return self._wire.http.headers["Authorization"]

    def invite(self, address: str, name: str, email: str, roles: list[str] | None = None) -> "Person":
        """Invites somebody, who enrols at once."""
        body = {"email": email, "name": name, "organisation_roles": roles or []}
        person = Person(address, name, email)
        self._invited.append(person)
        person.enrol(self.post("/invitations", body))
        return person

    def get(self, path: str, **query: Any) -> Any:
        return self._ask("GET", path, params=query)

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        return self._ask("POST", path, json=body if body is not None else {}, params=query)

    def send(self, path: str, data: bytes, media_type: str, **query: Any) -> Any:
        return self._ask("POST", path, content=data, headers={"Content-Type": media_type}, params=query)

    def change(self, method: str, path: str, body: Any) -> Any:
        """A change with If-Match from a fresh read."""
        shown = path.removesuffix("/fields").removesuffix("/plan")
        tag = self._wire.ask("GET", f"/api/v1{shown}").headers.get("etag", "*")
        return self._ask(method, path, json=body, headers={"If-Match": tag})

    def move(self, collection: str, row: str, trigger: str, reason: str | None = None) -> Any:
        """Fires a transition, or gives an approval."""
        return self.post(f"/{collection}/{row}/transitions/{trigger}", {"reason": reason} if reason else {})

    def wait(self, path: str, *states: str, refuse: tuple[str, ...] = ()) -> Any:
        """Waits until a row reaches one of the states.

        Raises:
            RuntimeError: it reached another end, or took too long.
        """
        started = time.monotonic()
        while time.monotonic() - started < self.patience:
            row = self.get(path)
            if row["state"] in states:
                return row
            if row["state"] in refuse:
                raise RuntimeError(f"{path} is {row['state']}: {row.get('blocked') or row.get('stale_reason') or ''}")
            time.sleep(0.1)
        raise RuntimeError(f"{path} did not become {' or '.join(states)} in {self.patience:.0f} s")

    def upload(self, case_id: str, path: Path) -> str:
        """Uploads a file with tus; returns the upload's id."""
        meta = ",".join(
            f"{key} {base64.b64encode(value.encode()).decode()}"
            for key, value in (("case_id", case_id), ("filename", path.name))
        )
        with path.open("rb") as source:
            place = self._wire.upload("/api/v1/uploads", source, path.stat().st_size, meta)
        return place.rsplit("/", 1)[1]

    def download(self, path: str, target: Path, *, cut_after: int | None = None) -> None:
        """Downloads to a file; with `cut_after` the connection breaks there and the rest is resumed by Range."""
        self._wire.download(f"/api/v1{path}", target, cut_after)

    def raw(self, path: str, **query: Any) -> bytes:
        answer = self._wire.ask("GET", f"/api/v1{path}", params=query)
        _check(answer)
        return answer.content

    def _ask(self, method: str, path: str, **request: Any) -> Any:
        answer = self._wire.ask(method, f"/api/v1{path}", **request)
        _check(answer)
        return answer.json() if answer.content and "json" in answer.headers.get("content-type", "") else None


def _check(answer: httpx.Response) -> None:
    if answer.status_code >= 400:
        answer.read()
        kind = answer.headers.get("content-type", "")
        problem = answer.json() if "json" in kind else {"code": "http", "detail": answer.text[:200]}
        raise RefusedError(answer.status_code, problem)


def _reasons(problem: dict[str, Any]) -> str:
    found = [
        f"[{gate['code']} {condition['name']}: {(condition.get('reason') or {}).get('en')}]"
        for gate in problem.get("gates") or []
        for condition in gate["conditions"]
        if condition["passed"] is False
    ]
    return " ".join(found)
