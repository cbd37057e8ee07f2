"""Pages as a browser without scripts sees them: a cookie, forms with their token, and a case with its people."""

import datetime as dt
import html
import re
import uuid
from typing import Any

import httpx

from handover.audit.models import AuditEntry
from handover.cases.models import Case, Member
from handover.context import SYSTEM
from handover.demo.cast import USCC
from handover.web.edge import COOKIE
from tests.actors import Actors, Someone

#: What no page may do anything with but show it.
HOSTILE = "<script>alert(1)</script>{{7*7}}\u202ehx-get"


def text_of(answer: httpx.Response) -> str:
    """What a reader reads: no tags, one space between words."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)))


def hidden(answer: httpx.Response, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', answer.text)
    assert found, f"{name} is not on the page"
    return found.group(1)


class Staged:
    """A case with a seller, a buyer who won, another bidder, and people in every role, all with a fresh second factor."""

    ROLES = (
        ("legal", "legal", None),
        ("seller", "seller_signatory", "seller"),
        ("buyer", "buyer_signatory", "buyer"),
        ("recipient", "recipient", "buyer"),
        ("rival", "buyer_signatory", "rival"),
        ("executor", "destruction_executor", None),
        ("witness", "witness", None),
    )

    def __init__(self, actors: Actors, structure: str = "asset_transfer") -> None:
        self.actors = actors
        lead = actors("lead", "consultant")
        case = lead.post("cases", {"title": HOSTILE, "structure": structure}).json()
        self.reference, self.id = case["reference"], uuid.UUID(case["id"])
        self.parties = {
            key: lead.post(
                "parties", {"case_id": case["id"], "side": side, "name": f"{key} {HOSTILE}", "uscc": uscc}
            ).json()["id"]
            for key, side, uscc in (
                ("seller", "seller", USCC["seller"]),
                ("buyer", "buyer", USCC["winner"]),
                ("rival", "buyer", USCC["loser"]),
            )
        }
        for name, role, party in self.ROLES:
            self._join(actors(name), role, self.parties[party] if party else None)
        actors("auditor", "auditor")
        self._let_roles_count()

    def __getattr__(self, name: str) -> Someone:
        return self.actors(name)

    def see(self, person: Someone, path: str, language: str = "en") -> httpx.Response:
        """The page as the person's browser gets it."""
        return self._call(person, "GET", path, language)

    def send(self, person: Someone, path: str, files: Any = None, **fields: Any) -> httpx.Response:
        """A form with these fields, as a page sends it without scripts; the answer is not followed."""
        return self._call(person, "POST", path, "en", data={"csrf_token": person.csrf_token, **fields}, files=files)

    def _call(self, person: Someone, method: str, path: str, language: str, **more: Any) -> httpx.Response:
        headers = {"Accept": "text/html", "Accept-Language": language, "Cookie": f"{COOKIE}={person.token}"}
        self.actors.client.cookies.clear()
        return self.actors.client.request(method, path, headers=headers, follow_redirects=False, **more)

    def put(self, *rows: Any) -> None:
        """Rows as a worker or an earlier stage leaves them behind."""
        with self.actors.installation.unit_of_work(SYSTEM) as ctx:
            ctx.session.add_all(rows)

    def change(self, model: type[Any], identifier: Any, **values: Any) -> None:
        """Columns of a row, as an earlier stage leaves them behind."""
        with self.actors.installation.unit_of_work(SYSTEM) as ctx:
            row = ctx.session.get_one(model, uuid.UUID(str(identifier)))
            for name, value in values.items():
                setattr(row, name, value)

    def row(self, model: type[Any], identifier: Any) -> Any:
        """A row as it is now."""
        with self.actors.installation.unit_of_work(SYSTEM, write=False) as ctx:
            found = ctx.session.get_one(model, uuid.UUID(str(identifier)))
            ctx.session.expunge(found)
            return found

    def stage(self, state: str) -> None:
        """The case in a later state."""
        self.change(Case, self.id, state=state)

    def logged(self, event: str) -> int:
        """How often an event of this case is in the log."""
        with self.actors.installation.unit_of_work(SYSTEM, write=False) as ctx:
            return sum(f'"{event}"' in entry.entry for entry in ctx.session.query(AuditEntry))

    def _join(self, person: Someone, role: str, party: str | None) -> None:
        self.put(
            Member(
                case_id=self.id,
                person_id=uuid.UUID(person.id),
                role=role,
                party_id=uuid.UUID(party) if party else None,
                effective_at=dt.datetime.now(dt.UTC),
                granted_by=uuid.UUID(person.id),
            )
        )

    def _let_roles_count(self) -> None:
        """The waiting time of approvers is over."""
        with self.actors.installation.unit_of_work(SYSTEM) as ctx:
            for member in ctx.session.query(Member).filter_by(case_id=self.id):
                member.effective_at -= dt.timedelta(days=2)
