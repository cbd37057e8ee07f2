"""The upload page in a real browser: it goes on after a pause, a reload and a lost connection, and arrives bit for bit."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from handover.app import open_installation
from handover.context import SYSTEM
from handover.inventory.content import raw_chunks
from handover.inventory.models import Upload
from handover.inventory.uploads import upload_key
from handover.settings import load
from handover.vault import SealedBlob, Vault
from tests.e2e.watching import Site, Window

#: Three requests of the page: one that is under way ends before a lost connection is felt.
SIZE = 140 << 20
#: Slow enough that a file of SIZE is cut on its way.
SLOW = 24 << 20
PATIENCE_MS = 60_000


@pytest.fixture
def window(browser: Browser, demo_site: Site) -> Iterator[Window]:
    made = Window(browser, demo_site, locale="en-GB")
    made.play_as("王芳")
    yield made
    made.close()


@pytest.fixture
def page(window: Window) -> Page:
    """The upload page of the case that takes records."""
    window.page.goto(f"/my/{_reference(window.site)}/upload?lang=en")
    return window.page


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "客户 clients.csv"
    line = b"name,phone\n" + b"Zhang,13800138000\n" * 100
    made.write_bytes((line * (SIZE // len(line) + 1))[:SIZE])
    return made


def _reference(site: Site) -> str:
    made: list[tuple[str, str]] = msgspec.json.decode((site.data_dir / "demo.json").read_bytes())["made"]
    return next(reference for reference, state in made if state == "inventory")


class Network:
    """The connection of one page: its speed up, or none."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)

    def set(self, upload_bytes: int, *, offline: bool = False) -> None:
        conditions = {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": upload_bytes}
        self._session.send("Network.emulateNetworkConditions", conditions)


def _stored(site: Site, size: int) -> tuple[str, str]:
    """State and SHA-256 of the newest upload of this size, out of its sealed segments."""
    installation = open_installation(load({k: v for k, v in site.environment.items() if k.startswith("HANDOVER_")}))
    vault = installation.get(Vault)
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        row = ctx.session.scalars(select(Upload).where(Upload.size == size).order_by(Upload.id.desc())).first()
        assert row is not None
        digest = hashlib.sha256()
        for segment in row.segments:
            for chunk in raw_chunks(vault, upload_key(row.id), msgspec.convert(segment, SealedBlob)):
                digest.update(chunk)
    installation.database.close()
    return row.state, digest.hexdigest()


def _remove_all(page: Page) -> None:
    while page.get_by_role("button", name=re.compile("^Remove")).count():
        page.get_by_role("button", name=re.compile("^Remove")).first.click()
        page.wait_for_load_state()


def test_a_file_goes_on_after_a_pause_a_reload_and_a_lost_connection(
    window: Window, page: Page, file: Path, demo_site: Site
) -> None:
    Network(page).set(SLOW)
    page.locator("#files").set_input_files(file)
    row = page.locator(".upload")
    expect(row.locator(".upload-text")).to_contain_text(re.compile(r"[1-9]\d?%"), timeout=PATIENCE_MS)
    row.get_by_role("button", name=re.compile("^Pause")).click()
    expect(row.locator(".upload-text")).to_have_text("paused")
    row.get_by_role("button", name=re.compile("^Go on")).click()
    expect(row.locator(".upload-text")).to_contain_text("%")

    address = page.url
    page.close()
    page = window.context.new_page()
    page.goto(address)
    network = Network(page)
    network.set(SLOW)
    row = page.locator(".upload")
    expect(page.get_by_text("Begun and not complete")).to_be_visible()
    first = page.locator("#running + p + ul li").count()
    page.locator("#files").set_input_files(file)
    expect(row.locator(".upload-text")).to_contain_text("%")

    network.set(SLOW, offline=True)
    expect(row).to_have_attribute("data-state", "offline", timeout=PATIENCE_MS)
    network.set(-1)
    expect(row.locator(".upload-text")).to_have_text("complete", timeout=PATIENCE_MS)
    assert first == 1
    assert _stored(demo_site, SIZE) == ("complete", hashlib.sha256(file.read_bytes()).hexdigest())
    page.get_by_role("link", name=re.compile("say what these files are")).click()
    page.get_by_role("link", name=re.compile("^Describe")).first.click()
    expect(page.get_by_text(file.name)).to_be_visible()
    page.go_back()
    _remove_all(page)


def test_another_version_of_a_file_is_another_upload(page: Page, file: Path) -> None:
    network = Network(page)
    network.set(SLOW)
    page.locator("#files").set_input_files(file)
    row = page.locator(".upload")
    expect(row.locator(".upload-text")).to_contain_text(re.compile(r"[1-9]\d?%"), timeout=PATIENCE_MS)
    row.get_by_role("button", name=re.compile("^Pause")).click()
    file.write_bytes(b"x" * SIZE)
    page.reload()
    page.locator("#files").set_input_files(file)
    network.set(-1)
    expect(row.locator(".upload-text")).to_have_text("complete", timeout=PATIENCE_MS)
    page.reload()
    expect(page.get_by_text("Begun and not complete")).to_be_visible()
    _remove_all(page)


def test_many_files_one_of_them_empty_are_each_told(page: Page, tmp_path: Path) -> None:
    for name, data in (("a.csv", b"x,y\n1,2\n"), ("b.csv", b""), ("c.csv", b"x,y\n3,4\n")):
        (tmp_path / name).write_bytes(data)
    page.locator("#files").set_input_files([tmp_path / name for name in ("a.csv", "b.csv", "c.csv")])
    texts = page.locator(".upload-text")
    expect(texts).to_have_text(["complete", "empty: nothing to upload", "complete"])
    expect(page.locator("#upload-total")).to_have_text("2 of 3 files complete")
    page.reload()
    _remove_all(page)


def test_files_can_be_chosen_with_the_keyboard_and_dropped(page: Page) -> None:
    page.on("filechooser", lambda _: None)  # from here on the browser asks us, and opens no window of its own
    page.locator("#files").focus()
    outline = page.evaluate("getComputedStyle(document.querySelector('label[for=files]')).outlineStyle")
    assert outline == "solid"
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    assert chooser.value.is_multiple()
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["x,y\\n1,2\\n"], "dropped.csv"));
          document.getElementById("drop").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }"""
    )
    expect(page.locator(".upload-name")).to_have_text("dropped.csv")
    expect(page.locator(".upload-text")).to_have_text("complete")
    page.reload()
    _remove_all(page)


def test_nothing_of_a_file_is_kept_in_the_browser_but_a_digest_and_an_address(page: Page, file: Path) -> None:
    Network(page).set(SLOW)
    page.locator("#files").set_input_files(file)
    row = page.locator(".upload")
    expect(row.locator(".upload-text")).to_contain_text(re.compile(r"[1-9]\d?%"), timeout=PATIENCE_MS)
    row.get_by_role("button", name=re.compile("^Pause")).click()
    kept = page.evaluate(
        """() => new Promise(resolve => { indexedDB.open("handover-uploads").onsuccess = event => {
          const request = event.target.result.transaction("places").objectStore("places").openCursor();
          request.onsuccess = () => resolve([request.result.key, request.result.value]);
        }; })"""
    )
    assert re.fullmatch(r"[0-9a-f]{64}", kept[0])
    assert "/api/v1/uploads/" in kept[1]
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    row.get_by_role("button", name=re.compile("^Cancel")).click()
    expect(row).to_have_count(0)


def test_a_plain_form_takes_a_file_without_javascript(browser: Browser, demo_site: Site, tmp_path: Path) -> None:
    window = Window(browser, demo_site, locale="en-GB", java_script_enabled=False)
    window.play_as("王芳")
    data = b"name,phone\nLi,13900139000\n" * 50_000
    (tmp_path / "plain.csv").write_bytes(data)
    page = window.page
    page.goto(f"/my/{_reference(demo_site)}/upload?lang=en")
    page.locator("#f-file").set_input_files(tmp_path / "plain.csv")
    page.get_by_role("button", name="Upload the file").click()
    expect(page.get_by_role("heading", name="Say what this file is")).to_be_visible()
    assert _stored(demo_site, len(data)) == ("complete", hashlib.sha256(data).hexdigest())
    page.goto(f"/my/{_reference(demo_site)}/upload")
    _remove_all(page)
    window.close()
