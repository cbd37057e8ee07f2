"""What a page does under the hand: the language switch, the keyboard, a refused form, the printer, a screen at 200 %."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from handover.demo import records
from handover.demo.cast import NAMES
from handover.demo.halfway import CUSTOMERS
from tests.e2e.watching import Site, Window

LEAD = "陈思远"
TITLE = "案件 <b>张䶮</b> " + "长" * 280


@pytest.fixture
def lead(browser: Browser, demo_site: Site) -> Iterator[Window]:
    window = Window(browser, demo_site)
    window.play_as(LEAD)
    yield window
    window.close()
    assert window.wrongs == []


def test_the_language_switch_keeps_the_page_and_what_was_typed(lead: Window) -> None:
    page = lead.page
    page.goto("/cases/new?lang=zh")
    page.fill("#f-title", TITLE)
    page.select_option("#f-structure", "merger")
    page.click("a.language")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert page.url.partition("?")[0].endswith("/cases/new")
    assert page.input_value("#f-title") == TITLE
    assert page.input_value("#f-structure") == "merger"


def test_a_refused_form_keeps_its_text_and_leads_to_what_is_wrong(lead: Window) -> None:
    page = lead.page
    page.goto("/cases/new?lang=en")
    page.fill("#f-title", TITLE)
    page.fill("#f-jurisdictions", "Atlantis")
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        page.click("main button.primary")
    assert answered.value.status == 422
    expect(page.locator("#form-errors")).to_be_focused()
    assert page.input_value("#f-title") == TITLE
    field = page.locator("#f-jurisdictions")
    assert field.input_value() == "Atlantis"
    expect(field).to_have_attribute("aria-invalid", "true")
    assert (field.get_attribute("aria-describedby") or "").split()[-1] == "e-jurisdictions"
    expect(page.locator("#e-jurisdictions")).not_to_be_empty()
    page.click("#form-errors a")
    expect(field).to_be_focused()


def test_the_keyboard_reaches_everything_and_shows_where_it_is(lead: Window) -> None:
    page = lead.page
    page.goto("/cases")
    page.keyboard.press("Tab")
    expect(page.locator("a.skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.goto("/cases/HO-2026-0004")
    wanted = page.locator("a[href]:visible, button:visible, summary:visible, select:visible, input:visible").count()
    reached = set()
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        at = page.evaluate(
            """() => { const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
            if (e === document.body) return null;
            const over = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
            const covered = !(over && (e.contains(over) || over.contains(e)));
            return [[...document.querySelectorAll('*')].indexOf(e), style.outlineStyle, covered, e.outerHTML.slice(0, 120)]; }"""
        )
        if at is None:
            break
        place, outline, covered, markup = at
        assert outline != "none", markup
        assert not covered, markup
        reached.add(place)
    assert len(reached) >= wanted


def test_print_has_the_content_and_none_of_the_controls(lead: Window) -> None:
    page = lead.page
    page.goto("/cases/HO-2026-0004")
    page.emulate_media(media="print")
    for hidden in (".top", ".bottom", ".tabs", ".skip"):
        expect(page.locator(hidden).first).to_be_hidden()
    expect(page.locator("h1")).to_be_visible()
    background = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert background == "rgb(255, 255, 255)"


@pytest.mark.parametrize("path", ["/todo", "/cases", "/cases/HO-2026-0004", "/cases/HO-2026-0005/recipients"])
def test_at_twice_the_size_nothing_scrolls_sideways(lead: Window, path: str) -> None:
    page = lead.page
    page.set_viewport_size({"width": 640, "height": 450})  # a window of 1280 px at 200 %
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 640


def test_no_customer_is_named_on_a_dashboard(lead: Window) -> None:
    people = {name for name, _ in NAMES.values()}  # some customers have the name of somebody who works on the case
    customers = {v for one in records.customers(CUSTOMERS, 1) for v in (one.name, one.mobile, one.email)} - people
    for path in ("/todo", "/cases", "/cases/HO-2026-0004", "/cases/HO-2026-0004/records"):
        lead.page.goto(path)
        assert not [value for value in customers if value in lead.page.inner_text("body")]
