"""A way to the S3 server on which things go wrong: what a rule says about a request happens to it."""

import contextlib
import http.client
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Fault:
    """What happens to a request: it is answered at once, its answer gets lost, or breaks off after some bytes."""

    def __init__(self, *, status: int = 0, code: str = "", lose: bool = False, cut: int | None = None) -> None:
        self.status, self.code, self.lose, self.cut = status, code, lose, cut


class Way(ThreadingHTTPServer):
    """Forwards to the real server. `rule` gets method, path and headers, and may name a fault."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = urlsplit(target).netloc
        self.rule: Callable[[str, str, dict[str, str]], Fault | None] = lambda *_: None
        self.seen: list[tuple[str, str]] = []
        self.endpoint = f"http://127.0.0.1:{self.server_address[1]}"

    def once(self, method: str, within: str, fault: Fault) -> None:
        """The first matching request meets the fault."""
        left = [fault]

        def rule(given: str, path: str, _headers: dict[str, str]) -> Fault | None:
            return left.pop() if left and given == method and within in path else None

        self.rule = rule

    def handle_error(self, request: object, client_address: object) -> None:
        """Connections that a test breaks are no news."""


@contextlib.contextmanager
def way_to(target: str) -> Iterator[Way]:
    way = Way(target)
    thread = threading.Thread(target=way.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield way
    finally:
        way.shutdown()
        thread.join()
        way.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Way

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
        self.server.seen.append((self.command, self.path))
        fault = self.server.rule(self.command, self.path, {name.lower(): value for name, value in headers.items()})
        if fault and fault.status:
            answer = f"<Error><Code>{fault.code}</Code><Message>m</Message></Error>".encode()
            self._answer(fault.status, {"Content-Type": "application/xml"}, answer)
            return
        connection = http.client.HTTPConnection(self.server.target, timeout=60)
        connection.request(self.command, self.path, body=body, headers=headers)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        if fault and fault.lose:
            self.close_connection = True
            return
        self._answer(response.status, dict(response.getheaders()), content, fault.cut if fault else None)

    def _answer(self, status: int, headers: dict[str, str], body: bytes, cut: int | None = None) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.close_connection = True

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _forward  # noqa: N815 - the names are http.server's

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        pass
