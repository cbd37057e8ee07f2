"""Every page that anybody can reach in a case at any stage: accessible, within its width, in both languages and themes."""

import re
from collections import deque

import pytest
from playwright.sync_api import Browser

from tests.e2e.watching import Site, Window

#: One person of each kind; what the others see is built of the same pages.
PEOPLE = ("平台管理员", "陈思远", "李静", "周桂兰", "王芳", "张䶮", "O'Brien", "黄嘉宁", "孙强")
LANGUAGES = ("zh", "en")
_NOT_PAGES = re.compile(r"^/(api|static|schema|logout)|/(pdf|twin|bundle|export|file|checkpoint|content)\b|lang=")
_IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|HO-\d{4}-\d{4}[A-Z0-9-]*|(?<=/)[A-Z0-9-]*\d[A-Z0-9-]*(?=/|$)")
#: A page of one kind is looked at in so many cases at most; the first one in both languages.
_SAME_KIND = 2
_MOST = 400


@pytest.mark.parametrize("name", PEOPLE)
def test_every_page_can_be_used_by_everybody(browser: Browser, demo_site: Site, name: str) -> None:
    window = Window(browser, demo_site)
    window.play_as(name)
    found, seen = _walk(window)
    window.close()
    assert len(seen) > 2, seen
    assert found == [], "\n".join(found)


@pytest.mark.parametrize("path", ["/login", "/verify", "/verify/NOTHING", "/p/nothing", "/demo", "/nothing/here"])
def test_every_public_page_can_be_used_by_everybody(browser: Browser, demo_site: Site, path: str) -> None:
    window = Window(browser, demo_site)
    found = [wrong for language in LANGUAGES for wrong in window.look(path, language=language)]
    window.close()
    assert found == [], "\n".join(found)


def _walk(window: Window) -> tuple[list[str], dict[str, int]]:
    """Follows every link of the person's pages; returns what is wrong, and how often each kind of page was seen."""
    waiting, known = deque(["/", *window.links()]), {"/"}
    found: list[str] = []
    kinds: dict[str, int] = {}
    while waiting and sum(kinds.values()) < _MOST:
        path = waiting.popleft()
        kind = _IDS.sub("*", path.partition("?")[0])
        if kinds.get(kind, 0) >= _SAME_KIND or _NOT_PAGES.search(path):
            continue
        times = kinds[kind] = kinds.get(kind, 0) + 1
        for language in LANGUAGES if times == 1 else LANGUAGES[times % 2 :][:1]:
            found += window.look(path, language=language)
        for link in window.links():
            if link not in known:
                known.add(link)
                waiting.append(link)
    return found, kinds
