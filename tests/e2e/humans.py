"""People in front of browsers: they follow links, fill in forms, and type the codes of their authenticator."""

import re
import time
from pathlib import Path
from typing import Any

import pyotp
from playwright.sync_api import Browser, Error, Locator

from tests.e2e.watching import Site, Window

PASSWORD = "correct horse battery staple 测试"
_STEP = 30
#: Seconds that a person tries to open a page.
_PATIENCE = 30


class Human(Window):
    """One person with one browser, and what they do on pages."""

    def __init__(self, browser: Browser, site: Site, name: str, language: str, **options: Any) -> None:
        super().__init__(browser, site, locale="zh-CN" if language == "zh" else "en-GB", **options)
        self.name, self.language = name, language
        self._secret, self._last_step = "", 0

    def enrol(self, link: str, code: str) -> None:
        """From the link in a chat and the code on the telephone to an account with an authenticator app."""
        self.page.goto(link)
        self.page.fill("#f-code", code)
        self.page.fill("#f-password", PASSWORD)
        self.page.fill("#f-again", PASSWORD)
        self.page.click("main button.primary")
        self._secret = re.sub(r"\s", "", self.page.inner_text(".secret code"))
        self.page.fill("#f-code", self._totp())
        self._press(self.page.locator("main button.primary"))

    def visit(self, path: str) -> None:
        answer, wrong, deadline = None, "no answer", time.monotonic() + _PATIENCE
        while answer is None:
            # A page that loads itself again (its job has just ended) takes the place of the one asked for, which then
            # ends with an error or without an answer; so may the next, and loading takes its time on a busy machine.
            self.page.wait_for_load_state()
            try:
                answer = self.page.goto(path)
            except Error as error:
                wrong = error.message
            if answer is None:
                assert time.monotonic() < deadline, f"{self.name}: {path} did not open: {wrong}"
                self.page.wait_for_timeout(400)
        assert answer.status < 400, f"{self.name}: {path} answers {answer.status}: {self.page.inner_text('main')[:600]}"

    def send(self, path: str, action: str, **fields: Any) -> None:
        """Opens a page, fills in the form whose address ends with `action`, and sends it."""
        self.visit(path)
        self.fill(self.form(action), **fields)

    def form(self, action: str) -> Locator:
        """The first form that posts to an address with this end; an empty one posts to the page itself."""
        wanted = f"main form[action$='{action}']" if action else "main form:not([action])"
        found = self.page.locator(wanted).first
        assert found.count(), (
            f"{self.name}: no form {action!r} on {self.page.url}: {self.page.inner_text('main')[:800]}"
        )
        return found

    def fill(self, form: Locator, **fields: Any) -> None:
        form.evaluate("f => f.closest('details')?.setAttribute('open', '')")
        for name, value in fields.items():
            field = form.locator(f"[name='{name}']").first
            if isinstance(value, Path):
                field.set_input_files(value)
            elif field.evaluate("e => e.tagName") == "SELECT":
                field.select_option(value)
            elif field.get_attribute("type") == "checkbox":
                field.set_checked(bool(value))
            else:
                field.fill(str(value))
        self._press(form.locator("button:not([type=button])").first)

    def move(self, path: str, trigger: str, **fields: Any) -> None:
        """Presses the button that moves a state."""
        self.send(path, f"/{trigger}", **fields)

    def offers(self, path: str, action: str) -> bool:
        """Whether a page has a form of this kind now."""
        self.visit(path)
        return self.page.locator(f"main form[action$='{action}']").count() > 0

    def wait_for(self, path: str, text: str, seconds: float = 90) -> None:
        """Loads a page again until it says something, as a person would who waits for a machine."""
        deadline = time.monotonic() + seconds
        self.visit(path)
        while self.page.locator("main", has_text=text).count() == 0:
            assert time.monotonic() < deadline, (
                f"{self.name}: {path} does not say {text}: {self.page.inner_text('main')}"
            )
            self.page.wait_for_timeout(400)
            self.visit(path)

    def link(self, pattern: str) -> str:
        """The first address on the page that fits a pattern."""
        found = [link for link in self.links() if re.search(pattern, link)]
        assert found, f"{self.name}: no link {pattern} on {self.page.url}: {self.links()}"
        return found[0]

    def _press(self, button: Locator) -> None:
        """Sends a form; types a code where one is asked for; whatever says that nothing was changed is a failure."""
        before = self.page.url
        with self.page.expect_navigation():
            button.click()
        if (
            self.page.locator("input[name=second_factor_code]").count()
            and self.page.locator("input[name=csrf_token]").count()
        ):
            action = self.page.locator("form:has(input[name=second_factor_code])").first
            if action.locator("input[name=typed_name]").count() == 0:
                self.page.fill("input[name=second_factor_code]", self._totp())
                with self.page.expect_navigation():
                    self.page.click("form:has(input[name=second_factor_code]) button.primary")
        wrong = self.page.locator("#form-errors")
        assert wrong.count() == 0, f"{self.name} at {before}: {wrong.first.inner_text()}"

    def _totp(self) -> str:
        """A code that was not typed yet, good for half a minute at least: the server takes one step before and after its own.

        So the step before this one is none to type; its code ends while the form is on its way.
        """
        while True:
            now = int(time.time()) // _STEP
            step = max(self._last_step + 1, now)
            if step <= now + 1:
                self._last_step = step
                return pyotp.TOTP(self._secret).at(step * _STEP)
            self.page.wait_for_timeout(500)
