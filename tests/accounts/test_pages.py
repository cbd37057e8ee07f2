"""The pages of accounts: a link that mail scanners cannot spend, one's own account, and the administration."""

import html
import re
from typing import Any
from urllib.parse import unquote

import httpx
import pyotp
import pytest
from litestar.testing import TestClient

from handover.accounts import people, queries
from handover.accounts.models import Person
from handover.context import SYSTEM, Installation
from handover.settings import Settings
from tests.actors import ADDRESS, PASSWORD, Actors, Clock, Someone, token_of

WECHAT = {"User-Agent": "Mozilla/5.0 (iPhone) AppleWebKit/605 MicroMessenger/8.0.49"}
HOSTILE = "<script>alert(1)</script>{{7*7}}张䶮"
FORM = {"Origin": ADDRESS, "Accept": "text/html"}


def invited(installation: Installation, name: str = "anna", *roles: str) -> people.Invited:
    with installation.unit_of_work(SYSTEM) as ctx:
        return people.invite(
            ctx, email=f"{name}@people.example", name=name, language="zh", organisation_roles=list(roles)
        )


def accept(client: TestClient[Any], link: str, code: str, factor: str = "totp", **changed: str) -> httpx.Response:
    fields = {"code": code, "password": PASSWORD, "again": PASSWORD, "second_factor": factor, **changed}
    return client.post(link, data=fields, headers=FORM, follow_redirects=False)


def secret_on(page: httpx.Response) -> str:
    """The secret in groups, as the text alternative of the QR code shows it."""
    block = re.search(r'class="secret"><code>(.*?)</code>', page.text, re.DOTALL)
    assert block, page.text
    return re.sub(r"<[^>]+>|\s", "", block.group(1))


class Browser:
    """Somebody's pages: their session as a cookie, and forms with the token that the page carries."""

    def __init__(self, client: TestClient[Any], someone: Someone) -> None:
        self.client, self.someone = client, someone

    def _cookies(self) -> dict[str, str]:
        return {"Cookie": f"__Host-handover={self.someone.token}; handover-lang=en", "Accept": "text/html"}

    def get(self, path: str) -> httpx.Response:
        self.client.cookies.clear()
        return self.client.get(path, headers=self._cookies(), follow_redirects=False)

    def post(self, path: str, **fields: Any) -> httpx.Response:
        self.client.cookies.clear()
        sent = {"csrf_token": self.someone.csrf_token, **fields}
        return self.client.post(path, data=sent, headers={**self._cookies(), "Origin": ADDRESS}, follow_redirects=False)


@pytest.fixture
def admin(client: TestClient[Any], actors: Actors) -> Browser:
    return Browser(client, actors("admin", "platform_admin"))


@pytest.fixture
def anna(client: TestClient[Any], actors: Actors) -> Browser:
    return Browser(client, actors("anna"))


@pytest.mark.parametrize(
    "path",
    [
        "/account", "/account/password", "/account/authenticator", "/account/passkeys", "/account/sessions",
        "/account/tokens", "/admin/people", "/admin/people/invite", "/admin/organisation", "/admin/templates",
        "/admin/templates/nda", "/admin/policy", "/admin/health", "/telephone-codes",
    ],
)  # fmt: skip
def test_pages_are_whole(admin: Browser, path: str) -> None:
    page = admin.get(path)
    assert page.status_code == 200, page.text
    assert "<h1>" in page.text
