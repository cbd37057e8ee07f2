"""A fresh installation is entered by a real browser: the printed link, an authenticator app, then a passkey."""

import re
from typing import Any

import pyotp
from playwright.sync_api import Browser, Page

from tests.e2e.watching import LOOKS, Site, Window

PASSWORD = "correct horse battery staple 测试"
ACCOUNT = ("/account", "/account/password", "/account/authenticator", "/account/passkeys", "/account/tokens")
ADMIN = ("/admin/people", "/admin/people/invite", "/admin/organisation", "/admin/templates/nda", "/admin/policy")


def virtual_authenticator(page: Page) -> None:
    """A platform authenticator that verifies its user without asking."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options: dict[str, Any] = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_the_first_administrator_comes_in_and_then_by_passkey_alone(browser: Browser, empty_site: Site) -> None:
    window = Window(browser, empty_site, locale="en-GB")
    page, link = window.page, empty_site.invitation["link"]
    virtual_authenticator(page)
    page.goto("/")
    assert page.url.endswith("/setup")
    found = _looked(window, "/setup", link.removeprefix(empty_site.address))
    page.goto("/setup?lang=en")
    page.fill("#f-link", link)
    page.click("main button.primary")
    page.fill("#f-code", empty_site.invitation["code"])
    page.fill("#f-password", PASSWORD)
    page.fill("#f-again", PASSWORD)
    page.click("main button.primary")
    page.reload()  # a telephone that switched to its authenticator app loads the page again
    first = page.url.removeprefix(empty_site.address)
    found += _looked(window, first)
    secret = re.sub(r"\s", "", page.inner_text(".secret code"))
    page.fill("#f-code", pyotp.TOTP(secret).now())
    page.click("main button.primary")
    assert page.url.endswith("/admin/people")

    page.goto("/account/passkeys")
    page.fill("#f-name", "laptop")
    page.click("[data-passkey] button")
    page.wait_for_selector("table")
    assert "laptop" in page.inner_text("table")
    page.click(".top-end form button")
    page.wait_for_url("**/login")
    page.click("[data-passkey] button")
    page.wait_for_url("**/admin/people")

    found += _looked(window, *ACCOUNT, *ADMIN, "/admin/health", "/account/sessions", "/telephone-codes")
    window.close()
    assert found == [], "\n".join(found)


def test_an_invited_person_needs_nothing_but_a_passkey(browser: Browser, empty_site: Site) -> None:
    window = Window(browser, empty_site, locale="zh-CN", viewport={"width": 360, "height": 740})
    page = window.page
    virtual_authenticator(page)
    page.goto(empty_site.invitation["link"])
    page.fill("#f-code", empty_site.invitation["code"])
    page.fill("#f-password", PASSWORD)
    page.fill("#f-again", PASSWORD)
    page.check("#sf-passkey")
    page.click("main button.primary")
    page.wait_for_url("**/first")
    page.fill("#f-name", "手机")
    page.click("[data-passkey] button")
    page.wait_for_url("**/admin/people")
    assert page.get_attribute("html", "lang") == "zh-CN"
    window.close()
    assert window.wrongs == []


def _looked(window: Window, *paths: str) -> list[str]:
    return [
        wrong
        for path in paths
        for language, scheme in LOOKS[:2]
        for wrong in window.look(path, language=language, scheme=scheme)
    ]
