"""A running server, asked as the person whose token is in HANDOVER_TOKEN. Its refusals become our errors."""

import os
from types import TracebackType
from typing import Any, Self

import httpx

from handover.errors import HandoverError, InvalidInputError, Kind, NotFoundError

_SECONDS = 60


class ServerError(HandoverError):
    """The server refused or did not answer."""

    code = "server_refused"
    kind = Kind.UNAVAILABLE


class BlockedByGateError(HandoverError):
    """The server says which gate is in the way."""

    code = "blocked"
    kind = Kind.BLOCKED


class Server:
    """One connection to a server's API; use it in a `with` block."""

    def __init__(self, url: str) -> None:
        headers = {"Authorization": f"Bearer {os.environ.get('HANDOVER_TOKEN', '')}"}
        self._url, self._http = url, httpx.Client(base_url=url, headers=headers, timeout=_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def get(self, path: str, **query: str) -> Any:
        """The JSON of a GET below /api/v1."""
        return self.ask("GET", path, params=query).json()

    def post(self, path: str, body: Any) -> Any:
        """The JSON of a POST below /api/v1."""
        return self.ask("POST", path, json=body).json()

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A request below /api/v1 that was answered with success.

        Raises:
            ServerError: no answer, or a refusal. NotFoundError, InvalidInputError, BlockedByGateError: refusals of these kinds.
        """
        try:
            answer = self._http.request(method, f"/api/v1{path}", **more)
        except httpx.HTTPError as error:
            raise ServerError(f"{self._url} does not answer: {type(error).__name__}") from error
        if answer.status_code >= 400:
            raise _error(answer)
        return answer


def _error(answer: httpx.Response) -> HandoverError:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    message = str(problem.get("detail") or f"the server answered {answer.status_code}")
    if answer.status_code == 404:
        return NotFoundError(message)
    if problem.get("code") == "blocked":
        return BlockedByGateError(message)
    if answer.status_code in {400, 413, 422}:
        return InvalidInputError(message)
    return ServerError(message, status=answer.status_code, code=problem.get("code"))
