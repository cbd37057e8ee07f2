"""A running server for the tests of the HTTP face, with an administrator and a consultant who are logged in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from handover.demo.client import Person
from handover.demo.server import Running, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(Path(tmp_path_factory.mktemp("server")) / "data") as made:
        yield made


@pytest.fixture(scope="module")
def consultant(server: Running) -> Person:
    return server.admin.invite(server.address, "陈思远", "lead@agency.example", ["consultant"])
