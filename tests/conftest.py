"""A real installation on a temporary directory: keys, vault, log, workflows, jobs, and the application over them.

It is made once a run and copied for each test. Passwords are hashed as always, only with cheap parameters.
"""

import gc
import os
import secrets
import shutil
import socket
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import uvicorn
from argon2 import PasswordHasher
from litestar.testing import TestClient

from handover import app, rooms, setup
from handover.accounts.passwords import Passwords
from handover.app import make_application, make_asgi, open_installation
from handover.cases.queries import roles_of
from handover.context import Installation
from handover.demo import server as demo_server
from handover.resources import data_folder
from handover.settings import load
from handover.web.app_factory import serving
from handover.workflow import Gate, Registry, Workflow
from handover.workflow.loader import Machines
from tests.actors import ADDRESS, Actors, Clock
from tests.cheaply import CHEAP, COMMAND
from tests.here import run_here

if TYPE_CHECKING:
    from tests.bucket import Server

POSTGRESQL = os.environ.get("HANDOVER_TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1/postgres")
ADMIN_EMAIL = "admin@people.example"
#: Folders of tests lie in memory where it has room for them (a run takes up to 0.7 GiB): commits would wait for a disk, and
#: no test pulls its plug.
_MEMORY, _ROOM = Path("/dev/shm"), 2 << 30  # noqa: S108  (the folders in it are made anew, for this user alone)
#: As the product's children: most of what a test makes is gone without a look for cycles.
_GARBAGE_THRESHOLD = 5_000


# Read and bound once a process: nothing in it changes.
app._workflow = cache(app._workflow)
# Servers that tests play on hash passwords as cheaply as the installations in this process.
demo_server._COMMAND = COMMAND

#: Files that play whole transfers, the longest first: begun last, one of them would keep a single process busy at the end.
_BEGUN_FIRST = tuple(
    f"tests/{name}.py"
    for name in (
        *("flow/test_transfer", "flow/test_gates", "flow/test_equity", "redaction/test_pages"),
        *("masking/test_documents_outside", "formats/test_hostile", "api/test_schema"),
    )
)


def pytest_configure() -> None:
    """Says where `tmp_path` and the like are, unless somebody did."""
    if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK):
        found = os.statvfs(_MEMORY)
        if found.f_bavail * found.f_frsize >= _ROOM and not found.f_flag & os.ST_NOEXEC:
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begins with the long files; `--no-loadscope-reorder` keeps that order among processes."""
    last = len(_BEGUN_FIRST)
    ranks = {name: rank for rank, name in enumerate(_BEGUN_FIRST)}
    items.sort(key=lambda item: ranks.get(item.nodeid.partition("::")[0], last))


def pytest_collection_finish() -> None:
    """What is loaded by now stays: looking through all of it for garbage again and again took a fifth of the time of a run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE_THRESHOLD, 20, 20)


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a freshly made installation; copied, never opened."""
    folder = tmp_path_factory.mktemp("pristine")
    setup.initialise(load(_environment(folder)), admin_email=ADMIN_EMAIL, demo=True)
    return folder


@pytest.fixture(scope="session")
def pristine_postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The same with its rows in PostgreSQL; returns the folder and the name of the database, a template."""
    folder, name = tmp_path_factory.mktemp("pristine-postgresql"), f"handover_{secrets.token_hex(6)}"
    administer_postgresql(f'CREATE DATABASE "{name}"')
    environment = _environment(folder, postgresql_url(name))
    setup.initialise(load(environment), admin_email=ADMIN_EMAIL, demo=True)
    yield folder, name
    administer_postgresql(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """`sqlite`, unless the test is marked with `any_database`."""
    kind: str = request.param
    return kind


#: For tests that hold on both databases: `@any_database` above the test.
any_database = pytest.mark.parametrize(
    "database_kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.services)], indirect=True
)


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Server"]:
    """One S3 server a run; `s3` is what a test uses."""
    if os.environ.get("HANDOVER_REQUIRE_SERVICES") != "1":
        pytest.importorskip("botocore")
    from tests import bucket

    with bucket.running(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def s3(s3_server: "Server", monkeypatch: pytest.MonkeyPatch) -> "Server":
    """An S3 server, with credentials for it in the environment as an operator has them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_server.access)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_server.secret)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    return s3_server


@pytest.fixture
def without_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are inspected and redacted in this process, which has its libraries and models loaded once."""
    monkeypatch.setattr("handover.detection.isolated.run_isolated", run_here)
    monkeypatch.setattr("handover.masking.isolated.run_isolated", run_here)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def installation(
    request: pytest.FixtureRequest, database_kind: str, tmp_path: Path, clock: Clock
) -> Iterator[Installation]:
    """An open installation; `installation.clock` is the fixture `clock`."""
    target, database = tmp_path / "site", None
    if database_kind == "postgresql":
        source, template = request.getfixturevalue("pristine_postgresql")
        database = f"handover_{secrets.token_hex(6)}"
        administer_postgresql(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
    else:
        source = request.getfixturevalue("pristine")
    shutil.copytree(source, target)
    opened = _open(target, postgresql_url(database) if database else None)
    opened.clock = clock
    yield opened
    opened.database.close()
    if database:
        administer_postgresql(f'DROP DATABASE "{database}" WITH (FORCE)')


@pytest.fixture(scope="session")
def application() -> Any:
    """All routes, registered once a run."""
    return make_application()


@pytest.fixture
def client(application: Any, installation: Installation) -> Iterator[TestClient[Any]]:
    """A browser's view: keeps cookies, speaks https to the public address."""
    with TestClient(serving(application, installation), base_url=ADDRESS, raise_server_exceptions=False) as made:
        yield made


@pytest.fixture(scope="module")
def anonymous(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient[Any]]:
    """One application for all tests of a file that log nobody in and leave nothing behind."""
    target = tmp_path_factory.mktemp("shared") / "site"
    shutil.copytree(pristine, target)
    opened = _open(target, None)
    with TestClient(make_asgi(opened), base_url=ADDRESS, raise_server_exceptions=False) as made:
        yield made
    opened.database.close()


@pytest.fixture
def gates_pass(installation: Installation) -> None:
    """Every gate passes, for tests of what lies behind them."""
    installation.services[Workflow] = _unguarded()


@cache
def _unguarded() -> Workflow:
    registry = Registry(
        machines=rooms.machines(),
        gates={name: Gate(gate.code, lambda _ctx, _row: []) for name, gate in rooms.gates().items()},
        jobs=frozenset(rooms.jobs()),
        documents=rooms.documents(),
        roles=roles_of,
        overridden=lambda _ctx, _row, _gate: False,
        require_second_factor=lambda _ctx: None,
    )
    return Workflow(Machines(data_folder("workflows"), registry), registry)


@pytest.fixture
def actors(installation: Installation, client: TestClient[Any], clock: Clock) -> Actors:
    """People by name, enrolled and logged in: `actors("lead", "consultant").post("cases", {...})`."""
    return Actors(installation, client, clock)


@pytest.fixture
def served(installation: Installation) -> Iterator[str]:
    """The address of a real server on loopback, for streams, broken connections and raw requests."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    config = uvicorn.Config(
        make_asgi(installation), log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=15)
    listener.close()
    assert not thread.is_alive(), "the server did not shut down"


def postgresql_url(name: str) -> str:
    return f"{POSTGRESQL.rpartition('/')[0]}/{name}"


def administer_postgresql(statement: str) -> None:
    """Runs a statement outside any database of a test; skips the test where there is no PostgreSQL."""
    try:
        connection = psycopg.connect(POSTGRESQL, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        if os.environ.get("HANDOVER_REQUIRE_SERVICES") == "1":
            raise
        pytest.skip(f"PostgreSQL is not reachable: {error}")
    with connection:
        connection.execute(statement)  # type: ignore[call-overload]  # a name cannot be a parameter


def _open(folder: Path, database_url: str | None) -> Installation:
    settings = load(_environment(folder, database_url))
    return open_installation(settings, passwords=Passwords(PasswordHasher(**CHEAP)))


def _environment(folder: Path, database_url: str | None = None) -> dict[str, str]:
    found = {"HANDOVER_DATA_DIR": str(folder / "data"), "HANDOVER_PUBLIC_URL": ADDRESS}
    return found if database_url is None else {**found, "HANDOVER_DATABASE_URL": database_url}
