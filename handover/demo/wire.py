"""Requests that are repeated until an answer arrives: a server that died in between has one effect and one answer.

Everything unsafe carries an Idempotency-Key, the same on every repetition; uploads ask for the offset, downloads go on
by Range. It gives up when no answer comes for longer than any restart takes.
"""

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import httpx

#: One PATCH of an upload; small enough that the demo shows several.
_PIECE = 4 << 20
_CHUNK = 64 << 10
#: Longer than a restart of the server takes, on a slow machine too.
_PATIENCE_SECONDS = 120.0
_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 2.0
_TUS = {"Tus-Resumable": "1.0.0"}

Check = Callable[[httpx.Response], None]


class Wire:
    """A connection to the API of one person; `check` raises what the API refused."""

    def __init__(self, address: str, check: Check) -> None:
        self.http = httpx.Client(base_url=address, timeout=120, trust_env=False)
        self._check = check

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """The answer, which may be a refusal."""
        if method not in {"GET", "HEAD"}:
            request["headers"] = {"Idempotency-Key": secrets.token_hex(16), **request.get("headers", {})}
        patience = _Patience()
        while True:
            answer = _sent(lambda: self.http.request(method, path, **request))
            if answer is not None:
                return answer
            patience.pause(path)

    def upload(self, path: str, source: BinaryIO, size: int, metadata: str) -> str:
        """Uploads with tus; returns where the upload is."""
        announced = {**_TUS, "Upload-Length": str(size), "Upload-Metadata": metadata}
        begun = self.ask("POST", path, headers=announced)
        self._check(begun)
        place, offset, patience = str(begun.headers["location"]), 0, _Patience()
        while offset < size:
            source.seek(offset)
            piece = source.read(_PIECE)
            headers = {**_TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
            answer = _sent(lambda: self.http.patch(place, content=piece, headers=headers))  # noqa: B023
            if answer is None:
                patience.pause(place)
                answer = self.ask("HEAD", place, headers=_TUS)
            else:
                patience = _Patience()
            self._check(answer)
            offset = int(answer.headers["upload-offset"])
        return place

    def download(self, path: str, target: Path, cut_after: int | None) -> None:
        """Downloads to a file; the connection is broken off once after `cut_after` bytes."""
        patience, whole, etag = _Patience(), 1, ""
        with target.open("wb") as out:
            while out.tell() < whole:
                before = out.tell()
                headers = {"Range": f"bytes={before}-", "If-Range": etag} if etag else {}
                try:
                    with self.http.stream("GET", path, headers=headers) as answer:
                        if answer.status_code != 503:
                            self._check(answer)
                            if answer.status_code == 200:
                                out.truncate(0)
                                out.seek(0)
                            whole, etag = out.tell() + int(answer.headers["content-length"]), answer.headers["etag"]
                            cut_after = _copy(answer, out, cut_after)
                except httpx.TransportError:
                    pass
                if out.tell() > before:
                    patience = _Patience()
                else:
                    patience.pause(path)


def _copy(answer: httpx.Response, out: BinaryIO, cut_after: int | None) -> int | None:
    """Writes what arrives; None when everything did, or when it was cut."""
    for chunk in answer.iter_bytes(_CHUNK):
        out.write(chunk)
        if cut_after is not None and out.tell() >= cut_after:
            return None
    return cut_after


def _sent(request: Callable[[], httpx.Response]) -> httpx.Response | None:
    """The answer; None when it was lost, or when the server cannot answer now."""
    try:
        answer = request()
    except httpx.TransportError:
        return None
    return None if answer.status_code == 503 else answer


class _Patience:
    def __init__(self) -> None:
        self._until, self._pause = time.monotonic() + _PATIENCE_SECONDS, _PAUSE_SECONDS

    def pause(self, path: str) -> None:
        """Waits, each time longer.

        Raises:
            TimeoutError: it was long enough.
        """
        if time.monotonic() > self._until:
            raise TimeoutError(f"no answer from {path} for {_PATIENCE_SECONDS:.0f} s")
        time.sleep(self._pause)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)
