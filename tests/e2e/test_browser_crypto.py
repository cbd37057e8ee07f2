"""Keys and packages in a real browser: what is made there opens elsewhere, what was made elsewhere opens there, and a fault leaves nothing."""

import os
import pty
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import msgspec
import pytest
from playwright.sync_api import Browser, Page, Route

from handover.archive.head import SigningKeys
from handover.archive.open import open_package
from handover.archive.receipt import read_receipt
from handover.context import SYSTEM, Installation
from handover.crypto import mldsa, sshsig
from handover.crypto.age import Passphrase, decrypt_bytes, encrypt_bytes, generate_identity, identities_in
from handover.crypto.age import recipient_of as public_of
from handover.crypto.safety_number import safety_number
from handover.delivery.models import Delivery, Receipt
from handover.packages.models import Package
from handover.recipients.models import RecipientKey
from handover.vault import Vault
from tests.actors import Actors, Clock
from tests.archive import samples
from tests.e2e.given import deliver, logged_in, recipient_of

PASSPHRASE = "seven words nobody guesses 测试"
#: Deriving a key from a passphrase takes a second of an idle core, and tests share theirs.
PATIENCE = 60_000
_LEFT_BEHIND = """async () => {
  const found = [];
  const root = await navigator.storage.getDirectory();
  for await (const folder of root.values()) for await (const name of folder.keys()) found.push(name);
  return [...found, ...Object.keys(localStorage), ...Object.keys(sessionStorage), ...(await indexedDB.databases()).map((d) => d.name)];
}"""


class Desk:
    """One recipient, in front of a browser."""

    def __init__(self, browser: Browser, address: str, actors: Actors, *, key_policy: str = "classic") -> None:
        self.person, self.case, self.recipient_id = recipient_of(actors, key_policy=key_policy)
        self.context = logged_in(browser, address, self.person)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.errors: list[str] = []
        self.sent: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.page.on("request", lambda request: self.sent.append(f"{request.url}\n{request.post_data or ''}"))

    def visit(self, what: str) -> Page:
        self.page.goto(f"/my/{self.case['reference']}/{what}")
        return self.page

    def save(self, click: str, folder: Path) -> Path:
        with self.page.expect_download() as download:
            self.page.click(click)
        target = folder / download.value.suggested_filename
        download.value.save_as(target)
        return target

    def make_key(self, folder: Path) -> Path:
        """The key file, made and saved but not tested."""
        page = self.visit("key")
        page.click("[data-go=passphrase]")
        page.fill("#f-new", PASSPHRASE)
        page.fill("#f-again", PASSPHRASE)
        page.click("#make-form button.primary")
        return self.save("#save-identity", folder)

    def test_key(self, file: Path, passphrase: str = PASSPHRASE) -> None:
        self.page.set_input_files("#f-identity", file)
        self.page.fill("#f-passphrase", passphrase)
        self.page.click("#test-form button")

    def open_package(self, identity: str, folder: Path, package: Path | None = None) -> str:
        """Decrypts; returns what the page says at the end."""
        page = self.visit("open")
        key = folder / "identity.age"
        key.write_bytes(encrypt_bytes(identity.encode(), [Passphrase(PASSPHRASE, 10)], armored=True))
        page.set_input_files("#f-identity", key)
        page.fill("#f-passphrase", PASSPHRASE)
        if package:
            page.check("#s-file")
            page.set_input_files("#f-package", package)
        page.click("#open-form button.primary")
        return self.outcome()

    def says(self, where: str, what: str) -> None:
        self.page.locator(where, has_text=what).wait_for()

    def nothing_left(self) -> None:
        """Soon after loading: the page removes what it finds while it is shown, also from under this listing of it."""
        self.page.wait_for_function(
            f"""() => ({_LEFT_BEHIND})().then((found) => found.length === 0, (error) => {{
              if (error.name === "NotFoundError") return false;
              throw error;
            }})"""
        )

    def outcome(self) -> str:
        self.page.wait_for_selector("#opened:visible, #failed:visible")
        return " ".join(self.page.inner_text(name) for name in ("#opened-text", "#failed-text")).strip()

    def failure(self) -> str:
        self.page.wait_for_selector("#failed:visible")
        return self.page.inner_text("#failed-text")


@pytest.fixture
def desk(browser: Browser, served: str, actors: Actors) -> Iterator[Desk]:
    made = Desk(browser, served.replace("127.0.0.1", "localhost"), actors)
    yield made
    made.context.close()


@pytest.fixture
def packed(desk: Desk, installation: Installation) -> tuple[str, Path]:
    """An identity and the ciphertext of the package that waits for it."""
    identity = generate_identity()
    _row, blob = deliver(installation, desk.case, desk.recipient_id, samples.entries(), public_of(identity))
    return identity, blob


def ask_age(file: Path, passphrase: str) -> str:
    """What `age -d` prints for a passphrase typed on a terminal."""
    child, terminal = pty.fork()
    if child == 0:
        os.execvp("age", ["age", "-d", "-o", str(file.with_suffix(".txt")), str(file)])  # noqa: S606 - needs a terminal
    os.read(terminal, 1024)
    os.write(terminal, f"{passphrase}\n".encode())
    _pid, status = os.waitpid(child, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    return file.with_suffix(".txt").read_text()


def test_a_key_made_in_the_browser_opens_with_the_age_tool(desk: Desk, tmp_path: Path) -> None:
    file = desk.make_key(tmp_path)
    assert file.name == f"identity-{desk.case['reference']}.age"
    ask_age(file, PASSPHRASE)
    [identity] = identities_in(file.with_suffix(".txt").read_text())
    sealed = subprocess.run(["age", "-r", public_of(identity)], input=b"hello", capture_output=True, check=True).stdout
    opened = subprocess.run(
        ["age", "-d", "-i", file.with_suffix(".txt")], input=sealed, capture_output=True, check=True
    )
    assert opened.stdout == b"hello"


@pytest.mark.parametrize("key_policy", ["classic", "post_quantum"])
def test_a_key_is_tested_registered_and_proven_without_leaving_the_page(
    browser: Browser, served: str, actors: Actors, tmp_path: Path, key_policy: str
) -> None:
    desk = Desk(browser, served.replace("127.0.0.1", "localhost"), actors, key_policy=key_policy)
    page, file = desk.page, desk.make_key(tmp_path)
    assert page.is_disabled("#register")
    desk.test_key(file)
    page.click("#register:enabled")
    page.wait_for_selector("#number:visible")
    shown = page.locator("#groups li").all_inner_texts()
    [identity] = identities_in(decrypt_bytes(file.read_bytes(), [Passphrase(PASSPHRASE)]).decode())
    with actors.installation.unit_of_work(SYSTEM) as ctx:
        [key] = ctx.session.query(RecipientKey).all()
        assert (key.state, key.kind, key.recipient) == ("proven", key_policy, public_of(identity))
    assert tuple(shown) == safety_number(public_of(identity), desk.case["reference"], str(desk.person.id)).groups
    assert not any("AGE-SECRET-KEY" in text or PASSPHRASE in text for text in desk.sent)
    assert page.evaluate(_LEFT_BEHIND) == []
    assert desk.errors == []
    desk.context.close()


def test_a_key_cannot_be_registered_before_its_file_was_opened_once(desk: Desk, tmp_path: Path) -> None:
    file, other = desk.make_key(tmp_path), tmp_path / "other.age"
    desk.test_key(file, "not the passphrase")
    assert "passphrase does not open" in desk.failure()
    other.write_bytes(encrypt_bytes(generate_identity().encode(), [Passphrase(PASSPHRASE, 10)], armored=True))
    desk.test_key(other)
    desk.says("#failed-text", "another key")
    assert desk.page.is_disabled("#register")


def test_a_key_made_elsewhere_is_pasted_and_proven_with_the_age_tool(
    desk: Desk, actors: Actors, tmp_path: Path
) -> None:
    page, identity = desk.visit("key"), generate_identity()
    page.click("[data-go=paste]")
    page.fill("#f-public", identity)
    page.click("#paste-form button")
    assert "private key" in desk.failure()
    page.fill("#f-public", public_of(identity))
    page.click("#paste-form button")
    challenge = desk.save("#save-challenge", tmp_path)
    (tmp_path / "id").write_text(identity)
    printed = subprocess.run(["age", "-d", "-i", tmp_path / "id", challenge], capture_output=True, check=True).stdout
    page.fill("#f-answer", printed.decode())
    page.click("#answer-form button")
    page.wait_for_selector("#number:visible")
    with actors.installation.unit_of_work(SYSTEM) as ctx:
        assert [key.state for key in ctx.session.query(RecipientKey)] == ["proven"]
    assert not any("AGE-SECRET-KEY" in text for text in desk.sent)


def test_a_key_that_is_not_ours_is_told_apart_on_a_later_visit(desk: Desk, tmp_path: Path) -> None:
    file = desk.make_key(tmp_path)
    desk.test_key(file)
    desk.page.click("#register:enabled")
    desk.page.wait_for_selector("#number:visible")
    other = tmp_path / "other.age"
    other.write_bytes(encrypt_bytes(generate_identity().encode(), [Passphrase(PASSPHRASE, 10)], armored=True))
    page = desk.visit("key")
    page.click("#number summary")
    for chosen, said in ((file, "the registered one is yours"), (other, "NOT the same key")):
        page.set_input_files("#f-check-identity", chosen)
        page.fill("#f-check-passphrase", PASSPHRASE)
        page.click("#check-form button")
        desk.says("#checked", said)


def test_a_package_opened_in_the_browser_equals_its_source_and_gets_its_receipt(
    desk: Desk, packed: tuple[str, Path], installation: Installation, tmp_path: Path
) -> None:
    identity, blob = packed
    assert desk.open_package(identity, tmp_path) == "4 files, 20,000 customers, exactly as agreed."
    saved = desk.save("#save", tmp_path)
    with zipfile.ZipFile(saved) as archive:
        assert {n: archive.read(n) for n in archive.namelist() if n.startswith("files/")} == samples.FILES
    open_package(blob, [identity], tmp_path / "cli")
    assert (tmp_path / "cli" / "MANIFEST.json").read_bytes() == zipfile.ZipFile(saved).read("MANIFEST.json")
    desk.page.click("#send-receipt")
    desk.says("#receipt-text", "recorded")
    with installation.unit_of_work(SYSTEM) as ctx:
        [receipt], [delivery] = ctx.session.query(Receipt).all(), ctx.session.query(Delivery).all()
        text = ctx.get(Vault).open_text("server", receipt.text_sealed, field="receipts.text", row=receipt.id)
        assert (read_receipt(text.encode()).counts.files, delivery.state) == (4, "opened")
    desk.visit("open")
    desk.nothing_left()
    assert desk.errors == []


def test_what_was_decrypted_and_not_saved_is_gone_after_the_next_load(
    desk: Desk, packed: tuple[str, Path], tmp_path: Path
) -> None:
    desk.open_package(packed[0], tmp_path)
    assert len(desk.page.evaluate(_LEFT_BEHIND)) == 1
    desk.visit("open")
    desk.nothing_left()


def damaged(blob: Path, folder: Path, what: str) -> Path:
    data = bytearray(blob.read_bytes())
    if what == "tampered":
        data[70_000] ^= 1
    elif what == "header":
        data[data.index(b"\n--- ") + 8] ^= 1
    elif what == "trailing":
        data += bytes(70_000)
    else:
        del data[100_000:]
    target = folder / f"{what}.age"
    target.write_bytes(data)
    return target


FAULTS = {
    "tampered": "chunk 1 of 64 KiB, counted from 0, does not verify",
    "truncated": "cut short, or damaged at its end: chunk 1",
    "header": "beginning of the file was altered",
    "trailing": "damaged or was tampered with",
    "wrong_key": "Wrong key",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_own_message_and_leaves_nothing(
    desk: Desk, packed: tuple[str, Path], tmp_path: Path, fault: str
) -> None:
    identity, blob = packed
    if fault == "wrong_key":
        said = desk.open_package(generate_identity(), tmp_path, blob)
    else:
        said = desk.open_package(identity, tmp_path, damaged(blob, tmp_path, fault))
    assert FAULTS[fault] in said
    assert desk.page.is_hidden("#save")
    assert desk.page.evaluate(_LEFT_BEHIND) == []


def test_a_package_signed_by_other_keys_is_refused(desk: Desk, installation: Installation, tmp_path: Path) -> None:
    identity = generate_identity()
    forger = SigningKeys(sshsig.generate(), mldsa.generate())
    deliver(installation, desk.case, desk.recipient_id, samples.entries(), public_of(identity), keys=forger)
    assert "not signed by the expected key" in desk.open_package(identity, tmp_path)
    assert desk.page.evaluate(_LEFT_BEHIND) == []


def test_a_package_encrypted_again_for_another_key_is_refused(
    desk: Desk, packed: tuple[str, Path], tmp_path: Path
) -> None:
    identity, blob = packed
    other = generate_identity()
    again = tmp_path / "again.age"
    again.write_bytes(encrypt_bytes(decrypt_bytes(blob.read_bytes(), [identity]), [public_of(other)]))
    assert "made for somebody else" in desk.open_package(other, tmp_path, again)


@pytest.mark.parametrize("field", ["ciphertext_sha256", "manifest_sha256"])
def test_a_package_that_is_not_the_attested_one_is_refused(
    desk: Desk, packed: tuple[str, Path], installation: Installation, tmp_path: Path, field: str
) -> None:
    identity, blob = packed
    with installation.unit_of_work(SYSTEM) as ctx:
        [package] = ctx.session.query(Package).all()
        setattr(package, field, "00" * 32)
    assert "its fingerprint differs" in desk.open_package(identity, tmp_path, blob)
    assert desk.page.evaluate(_LEFT_BEHIND) == []


def test_a_file_that_is_not_the_listed_one_is_named(desk: Desk, installation: Installation, tmp_path: Path) -> None:
    identity = generate_identity()
    entries = samples.entries()
    other = b"what it is!"
    listed = samples.entry("files/lying.txt", b"what it was")
    entries.append(msgspec.structs.replace(listed, crc32=crc32(other), content=lambda: [other]))
    deliver(installation, desk.case, desk.recipient_id, entries, public_of(identity))
    assert "A file inside was altered: files/lying.txt" in desk.open_package(identity, tmp_path)


def test_a_broken_download_goes_on_where_it_stopped(desk: Desk, packed: tuple[str, Path], tmp_path: Path) -> None:
    identity, blob = packed
    data, asked = blob.read_bytes(), list[str]()

    def break_once(route: Route) -> None:
        asked.append(route.request.headers.get("range", ""))
        if len(asked) > 1:
            route.continue_()
            return
        answer = route.fetch()
        route.fulfill(response=answer, body=data[:100_000], headers={**answer.headers, "content-length": "100000"})

    desk.page.route("**/content", break_once)
    assert "exactly as agreed" in desk.open_package(identity, tmp_path)
    assert asked == ["", "bytes=100000-"]


def test_an_old_second_factor_is_asked_for_again_and_the_work_goes_on(
    desk: Desk, packed: tuple[str, Path], clock: Clock, tmp_path: Path
) -> None:
    clock.advance(minutes=20)
    identity, _blob = packed
    page = desk.visit("open")
    (tmp_path / "id.txt").write_text(identity)
    page.set_input_files("#f-identity", tmp_path / "id.txt")
    page.click("#open-form button.primary")
    page.fill("#f-code", desk.person.totp())
    page.click("#code-form button")
    assert "exactly as agreed" in desk.outcome()


def test_the_pages_say_in_chinese_what_happened(desk: Desk, packed: tuple[str, Path], tmp_path: Path) -> None:
    desk.visit("open?lang=zh")
    assert desk.open_package(generate_identity(), tmp_path, packed[1]).startswith("密钥不符")


def test_somebody_else_sees_neither_page(desk: Desk, actors: Actors) -> None:
    stranger = actors("stranger")
    for what in ("key", "open"):
        answer = stranger.get(f"/my/{desk.case['reference']}/{what}", headers={"Accept": "text/html"})
        assert answer.status_code == 404
