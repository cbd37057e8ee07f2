"""How tests use the pages of accounts: invitations accepted by their form, and somebody's browser."""

import re
from typing import Any

import httpx
from litestar.testing import TestClient

from handover.accounts import people
from handover.context import SYSTEM, Installation
from tests.actors import ADDRESS, PASSWORD, Someone

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
