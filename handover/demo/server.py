"""A throw-away installation on a free loopback port, whose server is started again when it dies, as an operator's is."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from handover.demo.client import Person

ADMIN = ("平台管理员", "admin@agency.example")
#: Waiting periods that a demo cannot sit out; the closing report prints that they differ from the defaults.
POLICIES = {
    "APPROVER_COOLING_HOURS": "0",
    "DESTRUCTION_COOLING_HOURS": "0",
    "DISPUTE_WINDOW_DAYS": "0",
    "NOTICE_PERIOD_DAYS": "0",
}
_COMMAND = (sys.executable, "-m", "handover")


@dataclass(slots=True)
class Running:
    """The running installation."""

    address: str
    admin: Person
    data_dir: Path
    environment: dict[str, str]
    server: "Server"


class Server:
    """`handover serve`, started again when a signal ended it.

    The port is this process's: nobody else gets it meanwhile, and who calls then is answered when the next one is up.
    """

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._environment, self._log = environment, log
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._stopping, self._lock, self._ready = False, threading.Lock(), threading.Event()
        self.restarts = 0
        self.process = self._start()
        self._keeper = threading.Thread(target=self._keep)
        self._keeper.start()

    def wait_until_ready(self) -> None:
        """Returns when requests are answered.

        Raises:
            RuntimeError: it did not start.
        """
        while not self._ready.wait(0.1):
            if not self._keeper.is_alive():
                raise RuntimeError(f"the server did not start; see {self._log}")

    def stop(self) -> None:
        """Ends it in good order, by force after half a minute."""
        with self._lock:
            self._stopping = True
        self.process.send_signal(signal.SIGTERM)
        self._keeper.join(30)
        self.process.kill()
        self._keeper.join()
        self._listener.close()

    def _start(self) -> "subprocess.Popen[bytes]":
        number = self._listener.fileno()
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [*_COMMAND, "serve", "--listener", str(number), "--parent", str(os.getpid())],
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=[number],
            )

    def _keep(self) -> None:
        while self._ended_by_signal():
            with self._lock:
                if self._stopping:
                    return
                self.process = self._start()
                self.restarts += 1

    def _ended_by_signal(self) -> bool:
        """Waits for the end of the server; an exit of its own would only repeat itself."""
        with self.process as process:
            if process.stdout and process.stdout.readline():
                self._ready.set()
        return process.returncode < 0


@contextlib.contextmanager
def running(data_dir: Path, storage_url: str | None = None) -> Iterator[Running]:
    """Initialises, serves, and stops when the block ends. Blobs lie in the data directory unless an address is given."""
    environment = {
        **{n: v for n, v in os.environ.items() if not n.startswith("HANDOVER_") or n.startswith("HANDOVER_POLICY_")},
        "HANDOVER_DATA_DIR": str(data_dir),
        "HANDOVER_DEMO": "1",
        **({"HANDOVER_STORAGE_URL": storage_url} if storage_url else {}),
        **{f"HANDOVER_POLICY_{name}": value for name, value in POLICIES.items()},
    }
    made = subprocess.run(
        [*_COMMAND, "init", "--admin", ADMIN[1], "--name", ADMIN[0], "--demo", "--json"],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    server = Server(environment, data_dir.parent / "server.log")
    admin = Person(server.address, *ADMIN)
    try:
        server.wait_until_ready()
        admin.enrol(json.loads(made.stdout))
        yield Running(server.address, admin, data_dir, environment, server)
    finally:
        admin.close()
        server.stop()
