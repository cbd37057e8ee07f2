"""A served site, and a browser window that notes what a page must never do."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, Error, Page

from handover.demo.server import POLICIES

_START_SECONDS = 60
_AXE = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
#: Language and theme; the first two have both of each.
LOOKS = (("zh", "light"), ("en", "dark"), ("zh", "dark"), ("en", "light"))
#: What every page keeps to, besides the rules of axe: stages, one main action, sizes to hit, times with their zone.
_RULES = """() => {
    const wrong = [], shown = e => e.checkVisibility({ visibilityProperty: true });
    for (const list of document.querySelectorAll('.stepper')) {
      if (list.tagName !== 'OL') wrong.push('the stages are no ordered list');
      if (list.querySelectorAll('[aria-current=step]').length > 1) wrong.push('two stages are current');
      if ([...list.querySelectorAll('.done')].some(step => !step.querySelector('.step-text')?.textContent.trim()))
        wrong.push('a finished stage is told by its colour alone');
    }
    const main = [...document.querySelectorAll('main .primary')].filter(shown);
    if (main.length > 1) wrong.push('several main actions: ' + main.map(e => e.textContent.trim()).join(' | '));
    const small = [...document.querySelectorAll('main button:not(.link), main .button, main select, main input:not([type=checkbox], [type=radio], [type=hidden])')]
      .filter(e => shown(e) && !e.closest('.visually-hidden') && !e.classList.contains('visually-hidden') && e.getBoundingClientRect().height < 43.5);
    if (small.length) wrong.push('lower than 44 px: ' + small.slice(0, 3).map(e => e.outerHTML.slice(0, 120)).join(' | '));
    for (const time of document.querySelectorAll('time')) {
      const exact = /^\\d{4}-\\d\\d-\\d\\d(T[\\d:.]+(Z|[+-]\\d\\d:\\d\\d))?$/.test(time.dateTime);
      if (!exact || (time.dateTime.includes('T') && !/UTC/.test(time.textContent))) wrong.push('a time without its zone: ' + time.outerHTML);
    }
    const first = document.querySelector('body a, body button');
    if (first?.getAttribute('href') !== '#main') wrong.push('no skip link comes first');
    return wrong;
}"""
_NOT_PAGES = re.compile(r"^/(api|static|schema|logout)|/(pdf|twin|bundle|export|file|checkpoint|content)\b|lang=")
_IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|HO-\d{4}-\d{4}[A-Z0-9-]*|(?<=/)[A-Z0-9-]*\d[A-Z0-9-]*(?=/|$)")
#: A page of one kind is looked at in so many cases at most.
_SAME_KIND = 2
_MOST = 400


class Site:
    """`handover serve` on a free port of localhost, with the waiting periods of a demo."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.data_dir, self._log = folder / "data", folder / "server.log"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.address = f"http://localhost:{self.port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HANDOVER_")},
            "HANDOVER_DATA_DIR": str(self.data_dir),
            "HANDOVER_PUBLIC_URL": self.address,
            **{f"HANDOVER_POLICY_{name}": value for name, value in POLICIES.items()},
        }
        self.invitation: dict[str, str] = {}
        if "--demo" not in arguments:
            made = self.run("init", "--admin", "admin@agency.example", "--name", "平台管理员", "--demo", "--json")
            self.invitation = json.loads(made)
        self._arguments = arguments
        self.process: subprocess.Popen[bytes]

    def run(self, *arguments: str) -> str:
        """A command of the product over this site's installation; what it prints."""
        command = [sys.executable, "-m", "handover", *arguments]
        return subprocess.run(command, env=self.environment, check=True, stdout=subprocess.PIPE, text=True).stdout

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "handover", "serve", "--host", "localhost", "--port", str(self.port)]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, *self._arguments], env=self.environment, stdout=subprocess.DEVNULL, stderr=log
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.2)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def log(self) -> str:
        return self._log.read_text()[-4000:] if self._log.exists() else ""

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.address}/healthz", trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False


class Window:
    """One person's browser. `wrongs` holds CSP violations, script errors, dialogs and requests to elsewhere."""

    def __init__(self, browser: Browser, site: Site, **options: Any) -> None:
        self.site, self.wrongs = site, []
        self.context: BrowserContext = browser.new_context(base_url=site.address, accept_downloads=True, **options)
        self.context.add_init_script(
            "addEventListener('securitypolicyviolation', e => console.error('CSP ' + e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sample));"
        )
        self.context.on("request", self._asked)
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.wrongs.append(f"{self.page.url}: {error}"))
        self.page.on("console", self._said)
        self.page.on("dialog", self._opened)

    wrongs: list[str]

    def _asked(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.netloc != urlsplit(self.site.address).netloc:
            self.wrongs.append(f"{self.page.url}: asks {request.url}")

    def _said(self, message: Any) -> None:
        # A refused form or a missing page is an answer, and Chromium writes a line about it.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.wrongs.append(f"{self.page.url}: {message.text}")

    def _opened(self, dialog: Any) -> None:
        self.wrongs.append(f"{self.page.url}: dialog {dialog.message}")
        dialog.dismiss()

    def play_as(self, name: str) -> None:
        """Logs in as one of the demo's people."""
        self.page.goto("/demo")
        self.page.locator(".card", has_text=name).locator("button").first.click()
        self.page.wait_for_load_state()

    def look(self, path: str, *, language: str, scheme: str) -> list[str]:
        """Opens a page and returns what is wrong with it: accessibility, width, language."""
        before = len(self.wrongs)
        self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        self.page.set_viewport_size({"width": 1280, "height": 900})
        joint = "&" if "?" in path else "?"
        answer = self.page.goto(f"{path}{joint}lang={language}")
        where = f"{path} ({language}, {scheme})"
        found = [] if answer is None or answer.status < 500 else [f"{where}: {answer.status}"]
        wanted = "zh-CN" if language == "zh" else "en"
        if self.page.get_attribute("html", "lang") != wanted:
            found.append(f"{where}: html[lang] is not {wanted}")
        found += [f"{where}: axe {violation}" for violation in self._violations()]
        found += [f"{where}: {wrong}" for wrong in self.page.evaluate(_RULES)]
        self.page.set_viewport_size({"width": 320, "height": 700})
        width = self.page.evaluate("document.documentElement.scrollWidth")
        if width > 320:
            found.append(f"{where}: scrolls sideways at 320 px ({width}): {self._widest()}")
        return [*found, *self.wrongs[before:]]

    def _violations(self) -> list[str]:
        options = {"runOnly": _AXE, "resultTypes": ["violations"]}
        self.page.evaluate(AXE_SCRIPT)
        found = self.page.evaluate("options => axe.run(document, options).then(done => done.violations)", options)
        return [f"{one['id']}: {'; '.join(node['html'][:160] for node in one['nodes'][:3])}" for one in found]

    def _widest(self) -> str:
        script = """() => [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > 321
            && !e.closest('.table-wrap')).slice(0, 3).map(e => e.outerHTML.slice(0, 120)).join(' | ')"""
        return str(self.page.evaluate(script))

    def links(self) -> list[str]:
        """Addresses on this site that the page leads to, without downloads and fragments."""
        try:
            found = self.page.eval_on_selector_all("a[href]:not([download])", "all => all.map(a => a.href)")
        except Error:  # a page that waits for work loads itself anew
            self.page.wait_for_load_state()
            return self.links()
        own = [urlsplit(href) for href in found if href.startswith(self.site.address)]
        return [f"{p.path}{'?' + p.query if p.query else ''}" for p in own]

    def walk(self) -> tuple[list[str], dict[str, int]]:
        """Follows every link from the start; returns what is wrong, and how often each kind of page was seen."""
        waiting, known = deque(["/", *self.links()]), {"/"}
        found: list[str] = []
        kinds: dict[str, int] = {}
        while waiting and sum(kinds.values()) < _MOST:
            path = waiting.popleft()
            kind = _IDS.sub("*", path.partition("?")[0])
            if kinds.get(kind, 0) >= _SAME_KIND or _NOT_PAGES.search(path):
                continue
            times = kinds[kind] = kinds.get(kind, 0) + 1
            for language, scheme in LOOKS[:2] if times == 1 else LOOKS[2 + len(kinds) % 2 :][:1]:
                found += self.look(path, language=language, scheme=scheme)
            for link in self.links():
                if link not in known:
                    known.add(link)
                    waiting.append(link)
        return found, kinds

    def close(self) -> None:
        self.context.close()
