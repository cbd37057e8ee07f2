"""The same for the parties: sellers, bidders and who receives the package."""

import pytest
from playwright.sync_api import Browser

from tests.e2e.test_every_page import walk_as
from tests.e2e.watching import Site

PARTIES = ("王芳", "张䶮", "O'Brien", "黄嘉宁")


@pytest.mark.parametrize("name", PARTIES)
def test_every_page_can_be_used_by_the_parties(browser: Browser, demo_site: Site, name: str) -> None:
    walk_as(browser, demo_site, name)
