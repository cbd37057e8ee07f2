"""Every page that the team and anybody outside can reach in a case at any stage: accessible, within its width, in both languages and themes."""

import pytest
from playwright.sync_api import Browser

from tests.e2e.watching import LOOKS, Site, Window

#: One person of each kind; what the others see is built of the same pages.
TEAM = ("平台管理员", "陈思远", "李静", "周桂兰", "孙强")


@pytest.mark.parametrize("name", TEAM)
def test_every_page_can_be_used_by_everybody(browser: Browser, demo_site: Site, name: str) -> None:
    walk_as(browser, demo_site, name)


@pytest.mark.parametrize("path", ["/login", "/verify", "/verify/NOTHING", "/p/nothing", "/demo", "/nothing/here"])
def test_every_public_page_can_be_used_by_everybody(browser: Browser, demo_site: Site, path: str) -> None:
    window = Window(browser, demo_site)
    found = [wrong for language, scheme in LOOKS for wrong in window.look(path, language=language, scheme=scheme)]
    window.close()
    assert found == [], "\n".join(found)


def walk_as(browser: Browser, site: Site, name: str) -> None:
    """Follows every link that this person has, and fails with all that is wrong."""
    window = Window(browser, site)
    window.play_as(name)
    found, seen = window.walk()
    window.close()
    assert len(seen) > 10, seen
    assert found == [], "\n".join(found)
