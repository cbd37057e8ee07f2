"""One case with its people, as far as a test needs it, made through the HTTP API; pages as a browser sends their forms."""

import base64
import re
from dataclasses import dataclass, field
from typing import Any

import httpx

from handover import rooms
from handover.context import SYSTEM
from handover.jobs import leases
from handover.jobs.execute import Executor
from handover.jobs.models import Job
from tests.actors import Actors, Someone

USCC = {"seller": "91350100M000100Y43", "winner": "91110000600037341L", "loser": "91320102MA1M50003H"}
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)
#: What must stay text wherever it is shown.
HOSTILE = '<script>alert(1)</script>{{7*7}}\' hx-get="/x" \u202egnp'
CSV = "姓名,手机,备注\n张三,13800138000,好\n李四,13900139000,中\n"


@dataclass
class Scene:
    """People by their part, parties by key, and the case."""

    actors: Actors
    case_id: str
    reference: str
    people: dict[str, Someone] = field(default_factory=dict)
    parties: dict[str, str] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Someone:
        try:
            return self.people[name]
        except KeyError as error:
            raise AttributeError(name) from error

    def page(self, who: str, path: str) -> httpx.Response:
        return self.people[who].get(path.replace("REF", self.reference), headers={"Accept": "text/html"})

    def send(self, who: str, path: str, fields: dict[str, Any], **more: Any) -> httpx.Response:
        """A form; the redirect that follows is not followed."""
        return self.people[who].call(
            "POST",
            path.replace("REF", self.reference),
            data=fields,
            headers={"Accept": "text/html"},
            follow_redirects=False,
            **more,
        )

    def move(self, who: str, collection: str, row: str, trigger: str, reason: str | None = None) -> None:
        answer = self.people[who].post(
            f"{collection}/{row}/transitions/{trigger}", {"reason": reason} if reason else {}
        )
        assert answer.status_code == 200, answer.text

    def events(self) -> list[str]:
        """What the log says of the case."""
        page = self.lead.get(f"audit?case_id={self.case_id}&limit=200").json()
        return [item["entry"]["event"] for item in page["items"]]


def scene(actors: Actors, title: str = "t") -> Scene:
    """A case with agency, seller and two bidders, and a person in every part; approvals count at once."""
    lead = actors("lead", "consultant")
    case = lead.post("cases", {"title": title, "structure": "asset_transfer"}).json()
    made = Scene(actors, case["id"], case["reference"], {"lead": lead})
    for key, side in (("agency", "agency"), ("seller", "seller"), ("winner", "buyer"), ("loser", "buyer")):
        body = {"case_id": made.case_id, "side": side, "name": f"{key} company", "uscc": USCC.get(key)}
        made.parties[key] = lead.post("parties", {k: v for k, v in body.items() if v}).json()["id"]
    for who, role, party in (
        ("legal", "legal", None),
        ("dpo", "dpo", None),
        ("dpo", "security_officer", None),
        ("custodian", "custodian", None),
        ("seller", "seller_admin", "seller"),
        ("ceo", "seller_signatory", "seller"),
        ("buyer", "buyer_signatory", "winner"),
        ("other", "buyer_signatory", "loser"),
    ):
        made.people[who] = actors(who)
        body = {"person_id": made.people[who].id, "role": role, "party_id": made.parties[party] if party else None}
        assert lead.post(f"cases/{made.case_id}/members", body).status_code == 201
    actors.clock.advance(hours=25)
    for someone in made.people.values():
        someone.log_in()
    return made


def drafted(made: Scene, signers: list[tuple[str, str | None]], kind: str = "nda", other: str = "agency") -> str:
    """An agreement that is sent to its signers: (person, company they sign for)."""
    named = [
        {
            "person_id": made.people[who].id,
            "party_id": made.parties[company] if company else None,
            "capacity": "company" if company else "person",
        }
        for who, company in signers
    ]
    blanks = dict.fromkeys(("purpose", "duration", "manner", "categories", "measures"), "p")
    body = {
        "case_id": made.case_id,
        "kind": kind,
        "party_id": made.parties["seller"],
        "counterparty_id": made.parties[other],
        "fields": blanks,
        "signers": named,
    }
    row: str = made.lead.post("agreements", body).json()["id"]
    made.move("lead", "agreements", row, "submit")
    made.move("legal", "agreements", row, "send")
    return row


def sign(made: Scene, who: str, agreement: str, *, company: bool = False) -> None:
    """Signs through the API."""
    person = made.people[who]
    shown = person.get(f"agreements/{agreement}").json()
    mandate = None
    if company:
        headers = {"Content-Type": "image/png"}
        mandate = person.call("POST", f"cases/{made.case_id}/scans/mandate", content=PIXEL, headers=headers).json()[
            "id"
        ]
    body = {"text_sha256": shown["text_sha256"], "typed_name": who, "intent": True, "mandate_id": mandate}
    answer = person.post(f"agreements/{agreement}/signatures", body)
    assert answer.status_code in (200, 201), answer.text


def in_inventory(made: Scene) -> None:
    """Everybody signed; the case takes records."""
    for who in ("lead", "legal", "dpo"):
        made.people[who].post(f"cases/{made.case_id}/conflict-declarations", {"clean": True})
    made.move("lead", "cases", made.case_id, "open")
    inside: list[tuple[str, str | None]] = [(who, None) for who in ("lead", "legal", "dpo", "custodian", "seller")]
    nda = drafted(made, [*inside, ("ceo", "seller")])
    for who, company in [*inside, ("ceo", "seller")]:
        sign(made, who, nda, company=company is not None)
    entrusted = drafted(made, [("ceo", "seller"), ("lead", "agency")], kind="entrustment")
    for who in ("ceo", "lead"):
        sign(made, who, entrusted, company=True)
    made.move("lead", "cases", made.case_id, "start_inventory")


def upload(made: Scene, who: str, name: str, data: bytes) -> str:
    """A whole upload through tus; returns its id."""
    meta = ",".join(
        f"{key} {base64.b64encode(value.encode()).decode()}"
        for key, value in (("case_id", made.case_id), ("filename", name))
    )
    tus = {"Tus-Resumable": "1.0.0"}
    begun = made.people[who].call(
        "POST", "uploads", headers={**tus, "Upload-Length": str(len(data)), "Upload-Metadata": meta}
    )
    place: str = begun.headers["location"]
    headers = {**tus, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert made.people[who].call("PATCH", place, content=data, headers=headers).status_code == 204
    return place.rsplit("/", 1)[1]


def record_set(made: Scene, name: str = "clients.csv", title: str = "clients", data: str = CSV) -> str:
    """An uploaded, inspected and classified record set; returns its id."""
    body = {
        "upload_id": upload(made, "seller", name, data.encode()),
        "kind": "customer_profile",
        "title": title,
        "owner_party_id": made.parties["seller"],
        "source_statement": "collected by us",
    }
    row: str = made.seller.post("record-sets", body).json()["id"]
    work(made, "inventory.ingest")
    return row


def work(made: Scene, kind: str | None = None) -> None:
    """One round of a worker; with `kind` it leaves all other jobs, documents foremost, undone for good."""
    installation = made.actors.installation
    executor = Executor(installation, {name: job for name, job in rooms.jobs().items() if kind in {None, name}})
    for job_id, lease in leases.claim(installation, lease_seconds=60, limit=50):
        with installation.unit_of_work(SYSTEM, write=False) as ctx:
            wanted = ctx.session.get_one(Job, job_id).kind in executor.handlers
        if wanted:
            executor.execute(job_id, lease)


def value_of(page: str, name: str) -> str:
    """What a hidden field of the page holds."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return found.group(1)
