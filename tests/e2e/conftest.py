"""Real browsers against a real server: Debian's Chromium, the product's own fonts, and everything a page does wrong noted."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from handover.demo.halfway import STOPS, Halfway
from tests.e2e.watching import Site

ROOT = Path(__file__).resolve().parents[2]
_READY_SECONDS = 700
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium with the fonts that the product ships, so that rare name characters show."""
    if shutil.which("chromium") is None:
        if os.environ.get("HANDOVER_REQUIRE_SERVICES") == "1":
            pytest.fail("chromium is missing; make e2e installs it")
        pytest.skip("chromium is not installed; make e2e installs it")
    with launched() as made:
        yield made


@contextmanager
def launched() -> Iterator[Browser]:
    """Debian's Chromium until the block ends."""
    fonts = ROOT / "tests" / "e2e" / "fonts.conf"
    environment = {**os.environ, "FONTCONFIG_FILE": str(fonts), "FONTCONFIG_PATH": str(fonts.parent)}
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(_ARGUMENTS), env=environment
        )
        yield made
        made.close()


@pytest.fixture(scope="session")
def demo_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """`handover serve --demo`, once its cases are there; they are made once, and each test process has its own copy."""
    run = tmp_path_factory.getbasetemp()
    made = (run.parent if "PYTEST_XDIST_WORKER" in os.environ else run) / "demo-made"
    with Path(f"{made}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            making = tmp_path_factory.mktemp("demo-making")
            with Site(making, "--demo") as site:
                wait_until_made(site)
            making.rename(made)
    folder = tmp_path_factory.mktemp("demo-site") / "site"
    shutil.copytree(made, folder)
    with Site(folder, "--demo") as site:
        yield site


def wait_until_made(site: Site) -> None:
    """Returns when a site with `--demo` has all its cases."""
    deadline = time.monotonic() + _READY_SECONDS
    while len(made_cases(site)) < len(STOPS):
        assert site.process.poll() is None, site.log()
        assert time.monotonic() < deadline, site.log()
        time.sleep(0.5)


def made_cases(site: Site) -> list[tuple[str, str]]:
    """Reference and stage of the cases of a demo that are there."""
    path = site.data_dir / "demo.json"
    return msgspec.json.decode(path.read_bytes(), type=Halfway).made if path.exists() else []


@pytest.fixture
def empty_site(tmp_path: Path) -> Iterator[Site]:
    """A server over a fresh installation; `site.invitation` is the first administrator's link and code."""
    with Site(tmp_path) as site:
        yield site


@pytest.fixture
def pixel(tmp_path: Path) -> Path:
    """A picture, where a page asks for a scan."""
    path = tmp_path / "scan.png"
    Image.new("RGB", (60, 40), "white").save(path)
    return path
