"""Pictures of the main pages for README and docs/portal.md, of `handover serve --demo` and by real clicks: `make screenshots`.

Chinese and English, light, and two dark ones; all together stay under the limit below.
"""

import tempfile
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import Browser

from tests.e2e.conftest import ROOT, launched, made_cases, wait_until_made
from tests.e2e.humans import PASSWORD, Human
from tests.e2e.watching import Site, Window

TARGET = ROOT / "docs" / "pictures"
#: A repository is cloned by people on slow lines.
LIMIT = 3 << 20
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
#: A page that is longer is cut: what matters stands above.
LONGEST = {1280: 1300, 390: 1100}
_COLOURS = 64


class Shot(NamedTuple):
    """One page: from `path` the first links with these parts in their addresses; REF is the case in the middle of `stage`."""

    name: str
    person: str
    stage: str
    path: str
    links: tuple[str, ...] = ()
    phone: bool = False
    dark: bool = False
    #: What the picture begins with, when it is not the page's top.
    at: str = "body"


SHOTS = (
    Shot("todo", "陈思远", "inventory", "/todo"),
    Shot("board", "陈思远", "inventory", "/cases"),
    Shot("case", "李静", "recipient_verification", "/cases/REF"),
    Shot("case-dark", "李静", "recipient_verification", "/cases/REF", dark=True),
    Shot("record-set", "周桂兰", "inventory", "/cases/REF/records/RS-01"),
    Shot("redaction", "李静", "redaction", "/cases/REF/redaction", ("/redaction/",)),
    Shot("before-after", "李静", "redaction", "/cases/REF/redaction", ("/redaction/", "sample_of="), at=".review-set"),
    Shot("recipients", "陈思远", "handover", "/cases/REF/recipients"),
    Shot("compare", "陈思远", "packaging", "/cases/REF/recipients", ("/compare",)),
    Shot("package", "李静", "recipient_verification", "/cases/REF/packages", ("/package/",)),
    Shot("destruction", "李静", "destruction", "/cases/REF/destruction", ("/destruction/",)),
    Shot("documents", "陈思远", "closed", "/cases/REF/documents"),
    Shot("log", "陈思远", "closed", "/cases/REF/log"),
    Shot("nda", "张䶮", "nda_pending", "/my/REF/nda", phone=True),
    Shot("upload", "王芳", "inventory", "/my/REF/upload", phone=True),
    Shot("key", "Noah Chen", "packaging", "/my/REF/key"),
    Shot("open", "黄嘉宁", "handover", "/my/REF/open"),
    Shot("open-dark", "黄嘉宁", "handover", "/my/REF/open", dark=True),
    Shot("receipt", "Olivia O'Brien", "destruction", "/my/REF/receipt", phone=True),
)


def main() -> None:
    """Takes all pictures anew."""
    with tempfile.TemporaryDirectory() as folder, Site(Path(folder), "--demo") as site, launched() as browser:
        wait_until_made(site)
        TARGET.mkdir(exist_ok=True)
        for old in TARGET.glob("*.png"):
            old.unlink()
        take(browser, site)
    size = sum(path.stat().st_size for path in TARGET.iterdir())
    if size > LIMIT:
        raise SystemExit(f"the pictures take {size >> 10} KiB, more than {LIMIT >> 10} KiB")


def take(browser: Browser, site: Site) -> None:
    """Writes every shot in both languages."""
    people = {name: Human(browser, site, name, "zh") for name in dict.fromkeys(shot.person for shot in SHOTS)}
    for name, person in people.items():
        person.play_as(name)
    _verify_identity(people, site)
    for shot in sorted(SHOTS, key=lambda shot: shot.name == "compare"):
        if shot.name == "compare":
            _make_key(people["Noah Chen"], site)
        for language in ("zh", "en"):
            (TARGET / f"{shot.name}.{language}.png").write_bytes(_picture(people[shot.person], shot, language))


def _verify_identity(people: dict[str, Human], site: Site) -> None:
    """The second bidder's recipient is named and identified, so that their key comes next."""
    reference = _references(site)["packaging"]
    lead, recipient, page = people["陈思远"], people["Noah Chen"], f"/cases/{reference}/recipients"
    lead.visit(page)
    form = lead.form("/recipients")
    who = form.locator("option", has_text="Noah Chen").first.get_attribute("value")
    lead.fill(form, member=who, place="CN-32")
    with tempfile.NamedTemporaryFile(suffix=".png") as scan:
        Image.new("RGB", (60, 40), "white").save(scan.name)
        papers = {"document": "居民身份证", "employer": "已核对在职证明", "checked_against": "视频核验"}
        recipient.send(f"/my/{reference}/identity", "/identity", mandate=Path(scan.name), **papers)
    for person in (lead, people["李静"]):
        person.move(page, "verify_identity")


def _make_key(recipient: Human, site: Site) -> None:
    """Makes, tests and registers a key, as its page asks for it; it then waits to be compared."""
    page = recipient.page
    recipient.visit(f"/my/{_references(site)['packaging']}/key")
    page.click("[data-go=passphrase]")
    for field in ("#f-new", "#f-again"):
        page.fill(field, PASSWORD)
    page.click("#make-form button.primary")
    with page.expect_download() as saved:
        page.click("#save-identity")
    page.set_input_files("#f-identity", saved.value.path())
    page.fill("#f-passphrase", PASSWORD)
    page.click("#test-form button")
    page.locator("#tested").wait_for(timeout=60_000)
    page.click("#register")
    page.locator("#groups li").first.wait_for(timeout=60_000)


def _picture(window: Window, shot: Shot, language: str) -> bytes:
    page, size = window.page, PHONE if shot.phone else DESK
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="dark" if shot.dark else "light", reduced_motion="reduce")
    path = _open(window, shot)
    page.goto(f"{path}{'&' if '?' in path else '?'}lang={language}")
    page.wait_for_load_state("networkidle")
    top = page.locator(shot.at).first.evaluate("e => e.getBoundingClientRect().top + scrollY")
    height = min(page.evaluate("document.documentElement.scrollHeight") - top, LONGEST[size["width"]])
    clip = {"x": 0, "y": top, "width": size["width"], "height": height}
    return _small(page.screenshot(full_page=True, clip=clip))  # type: ignore[arg-type]


def _open(window: Window, shot: Shot) -> str:
    reference = _references(window.site)[shot.stage]
    path = shot.path.replace("REF", reference)
    for part in shot.links:
        window.page.goto(path)
        found = [place for place in window.links() if part in place]
        if not found:
            raise SystemExit(f"{path} has no link to {part}")
        path = found[0]
    return path


def _references(site: Site) -> dict[str, str]:
    """The demo's case in the middle of each stage."""
    return {stage: reference for reference, stage in made_cases(site)}


def _small(png: bytes) -> bytes:
    """The same picture in few colours: pages are flat."""
    small = BytesIO()
    with Image.open(BytesIO(png)) as picture:
        picture.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


if __name__ == "__main__":
    main()
