"""`handover serve`: the web server, and the worker as a child process that is started again when it dies."""

import contextlib
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import click
import msgspec

from handover.accounts.service import invite_first_again
from handover.app import make_asgi, open_installation
from handover.cli.reconcile import clear_remains
from handover.context import SYSTEM, Installation
from handover.delivery.downloads import settle_abandoned
from handover.settings import load
from handover.storage import Storage
from handover.vault import Vault

logger = logging.getLogger("handover.serve")

#: An open event stream must not hold up a shutdown.
_SHUTDOWN_SECONDS = 5
_RESTART_SECONDS = 1.0
_FIRST = """\
Nobody has an account here yet. The first administrator opens this link, before {until} and once:

  {link}

and types this code: {code}
Any link that was printed before works no more.
"""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option("--listener", type=int, hidden=True, help="An inherited socket that listens already, by its number.")
@click.option("--parent", type=int, hidden=True, help="End when this process ends.")
@click.option("--no-worker", is_flag=True, help="Serve only; run `handover worker` elsewhere.")
@click.option(
    "--demo", "as_demo", is_flag=True, help="An installation of its own, with a case in the middle of each stage."
)
def serve(host: str, port: int, listener: int | None, parent: int | None, no_worker: bool, as_demo: bool) -> None:
    """Serve pages and API, with a worker beside it. Prints the address once it is ready."""
    import uvicorn

    from handover.worker import end_with_parent

    log_to_stderr()
    if parent is not None:
        end_with_parent(parent)
    demo = None
    if as_demo:
        from handover.demo import site

        demo = site.prepare()
    installation = open_and_examine()
    with installation.unit_of_work(SYSTEM) as ctx:
        settle_abandoned(ctx)
    removed = clear_remains(installation.database, installation.get(Storage))  # type: ignore[type-abstract]
    if removed:
        logger.info("removed %s files that a killed process left", removed)
    listening = socket.create_server((host, port), backlog=512) if listener is None else socket.socket(fileno=listener)
    config = uvicorn.Config(
        make_asgi(installation, site.ROUTES if demo else ()),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        h11_max_incomplete_event_size=64 << 10,
    )
    address = f"http://{host}:{listening.getsockname()[1]}"
    with contextlib.nullcontext() if no_worker else _worker():
        click.echo(f"{address}/demo" if demo else address)
        sys.stdout.flush()
        if not demo and sys.stderr.isatty():
            invite_first(installation)
        if demo:
            threading.Thread(target=site.play, args=(demo, address), daemon=True).start()
        uvicorn.Server(config).run(sockets=[listening])


def invite_first(installation: Installation) -> None:
    """While nobody has enrolled: a new link, on a terminal alone, never where it would be kept as a log."""
    with installation.unit_of_work(SYSTEM) as ctx:
        invited = invite_first_again(ctx)
    if invited is not None:
        until = invited.expires_at.astimezone().strftime("%H:%M")
        click.echo(_FIRST.format(until=until, link=invited.link, code=invited.code), err=True)


@click.command()
@click.option("--parent", type=int, hidden=True, help="End when this process ends.")
def worker(parent: int | None) -> None:
    """Run the background worker."""
    from handover.worker import run

    log_to_stderr()
    run(open_and_examine(), parent=parent)


def open_and_examine() -> Installation:
    """The installation, whose store is its own and forgets what is deleted."""
    installation = open_installation(load())
    vault = installation.get(Vault)
    for unknown in vault.storage.examine():
        logger.warning("%s", unknown)
    vault.storage.claim(vault.installation)
    return installation


def log_to_stderr() -> None:
    """One JSON object a line: time, level, logger, message, request id; never bodies, tokens or names."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("handover").setLevel(logging.INFO)


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", None),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


@contextlib.contextmanager
def _worker() -> Iterator[None]:
    """Keeps one worker process running until the block ends."""
    stop = threading.Event()
    held: list[subprocess.Popen[bytes]] = []

    def keep() -> None:
        while not stop.is_set():
            process = subprocess.Popen([sys.executable, "-m", "handover", "worker", "--parent", str(os.getpid())])
            held.append(process)
            process.wait()
            stop.wait(_RESTART_SECONDS)

    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        if held:
            held[-1].terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                held[-1].wait(timeout=15)
