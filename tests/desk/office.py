"""A case with its people, made through the API, and their browsers: cookies, pages and forms as they are sent."""

import re
from typing import Any

import httpx

from tests.actors import Actors, Someone

USCC = {"seller": "91310000MA1FL0001R", "buyer": "91310115MA1K30002G", "rival": "91320102MA1M50003H"}
HOSTILE = "<script>alert(1)</script>{{7*7}}\u202etxt"
#: Person, role and party.
CAST = (
    ("legal", "legal", None),
    ("dpo", "dpo", None),
    ("dpo", "security_officer", None),
    ("custodian", "custodian", None),
    ("seller", "seller_admin", "seller"),
    ("signatory", "seller_signatory", "seller"),
    ("buyer", "buyer_admin", "buyer"),
    ("buyer", "buyer_signatory", "buyer"),
    ("recipient", "recipient", "buyer"),
    ("rival", "buyer_signatory", "rival"),
    ("executor", "destruction_executor", None),
    ("witness", "witness", None),
)


class Office:
    """One case, led by `lead`."""

    def __init__(self, actors: Actors, title: str = "Project Pine") -> None:
        self.actors = actors
        self.lead = actors("lead", "consultant")
        self.case = self.lead.post("cases", {"title": title, "structure": "asset_transfer"}).json()
        self.reference: str = self.case["reference"]
        self.parties: dict[str, str] = {}
        for name, side in (("agency", "agency"), ("seller", "seller"), ("buyer", "buyer"), ("rival", "buyer")):
            body = {"case_id": self.case["id"], "side": side, "name": f"{name} Ltd", "place": "CN-31"}
            made = self.lead.post("parties", {**body, "uscc": USCC[name]} if name in USCC else body)
            self.parties[name] = made.json()["id"]
        for who, role, party in CAST:
            body = {"person_id": str(self.person(who).id), "role": role}
            answer = self.lead.post(
                f"cases/{self.case['id']}/members", {**body, "party_id": self.parties[party]} if party else body
            )
            assert answer.status_code == 201, answer.text

    def person(self, who: str) -> Someone:
        return self.lead if who == "lead" else self.actors(who, *(["auditor"] if who == "auditor" else []))

    def declare_and_open(self) -> None:
        for who in ("lead", "legal", "dpo"):
            self.person(who).post(f"cases/{self.case['id']}/conflict-declarations", {"clean": True})
        assert self.lead.post(f"cases/{self.case['id']}/transitions/open").status_code == 200

    def send_nda(self, *signers: str) -> str:
        """An NDA of the buyer, out for signature."""
        body = {
            "case_id": self.case["id"],
            "kind": "nda",
            "party_id": self.parties["buyer"],
            "counterparty_id": self.parties["seller"],
            "fields": {"purpose": "evaluation"},
            "signers": [{"person_id": str(self.person(s).id), "party_id": None, "capacity": "person"} for s in signers],
        }
        row = self.lead.post("agreements", body).json()
        for who, trigger in (("lead", "submit"), ("legal", "send")):
            answer = self.person(who).post(f"agreements/{row['id']}/transitions/{trigger}")
            assert answer.status_code == 200, answer.text
        return str(row["id"])

    def page(self, who: str, path: str, language: str = "en") -> httpx.Response:
        headers = {"Accept": "text/html", "Accept-Language": language, "Cookie": self._cookie(who)}
        return self.actors.client.get(path.replace("REF", self.reference), headers=headers, follow_redirects=False)

    def send(self, who: str, path: str, fields: dict[str, Any]) -> httpx.Response:
        """A form as a browser sends it, with the session's cookie and the token of the page."""
        data = {"csrf_token": self.person(who).csrf_token, **fields}
        headers = {"Accept": "text/html", "Accept-Language": "en", "Cookie": self._cookie(who)}
        return self.actors.client.post(
            path.replace("REF", self.reference), data=data, headers=headers, follow_redirects=False
        )

    def _cookie(self, who: str) -> str:
        return f"__Host-handover={self.person(who).token}"


def text_of(answer: httpx.Response) -> str:
    """What is read on a page: without tags, in one line."""
    body = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", answer.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))
