"""Who plays: each person is invited, enrols, and takes their roles in the case."""

from dataclasses import dataclass, field
from typing import Any

from handover.demo.client import Person

#: Invented companies; the check characters are right (GB 32100-2015).
USCC = {"seller": "91310000MA1FL0001R", "winner": "91310115MA1K30002G", "loser": "91320102MA1M50003H"}


@dataclass(slots=True)
class Cast:
    """The people and parties of one case."""

    address: str
    admin: Person
    case: dict[str, Any] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    parties: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Person:
        try:
            return self.people[name]
        except KeyError as error:
            raise AttributeError(name) from error

    @property
    def case_id(self) -> str:
        return str(self.case["id"])


NAMES = {
    "lead": ("陈思远", "lead@agency.example"),
    "legal": ("李静", "legal@agency.example"),
    "dpo": ("赵敏", "dpo@agency.example"),
    "custodian": ("周桂兰", "records@seller.example"),
    "seller_admin": ("王芳", "admin@seller.example"),
    "seller_signatory": ("张䶮", "ceo@seller.example"),
    "buyer": ("Olivia O'Brien", "ceo@winner.example"),
    "recipient": ("黄嘉宁", "it@winner.example"),
    "loser": ("何浩", "ceo@loser.example"),
    "loser_recipient": ("Noah Chen", "it@loser.example"),
    "executor": ("孙强", "ops@agency.example"),
    "witness": ("刘洋", "audit@agency.example"),
}


def gather(address: str, admin: Person) -> Cast:
    """Invites everybody; the lead consultant invites the parties."""
    cast = Cast(address, admin)
    name, email = NAMES["lead"]
    cast.people["lead"] = admin.invite(address, name, email, ["consultant"])
    for who, (name, email) in NAMES.items():
        if who != "lead":
            cast.people[who] = cast.lead.invite(address, name, email)
    return cast


def open_case(cast: Cast, structure: str) -> None:
    """Creates the case, its parties and its roles."""
    equity = structure == "equity_transfer"
    cast.case = cast.lead.post("/cases", {"title": "演示：华星家电客户服务业务转让", "structure": structure})
    wanted: dict[str, dict[str, str]] = {
        "agency": {"side": "agency", "name": "加信转让顾问有限公司"},
        "seller": {"side": "seller", "name": "上海华星家电服务有限公司", "uscc": USCC["seller"]},
        "winner": {"side": "buyer", "name": "浦东智家服务有限公司", "uscc": USCC["winner"]},
    }
    if equity:
        wanted["target"] = {"side": "target", "name": "南京华星售后有限公司", "uscc": USCC["loser"]}
    else:
        wanted["loser"] = {"side": "buyer", "name": "南京乐居科技有限公司", "uscc": USCC["loser"]}
    for key, party_body in wanted.items():
        cast.parties[key] = cast.lead.post("/parties", {"case_id": cast.case_id, "place": "CN-31", **party_body})
    roles = [
        ("legal", "legal", None),
        ("dpo", "dpo", None),
        ("dpo", "security_officer", None),
        ("custodian", "custodian", None),
        ("seller_admin", "seller_admin", "seller"),
        ("seller_signatory", "seller_signatory", "seller"),
        ("buyer", "buyer_admin", "winner"),
        ("buyer", "buyer_signatory", "winner"),
        ("recipient", "recipient", "target" if equity else "winner"),
        ("executor", "destruction_executor", None),
        ("witness", "witness", None),
    ]
    if not equity:
        roles += [
            ("loser", "buyer_admin", "loser"),
            ("loser", "buyer_signatory", "loser"),
            ("loser_recipient", "recipient", "loser"),
        ]
    for who, role, party in roles:
        body = {
            "person_id": cast.people[who].id,
            "role": role,
            "party_id": cast.parties[party]["id"] if party else None,
        }
        cast.lead.post(f"/cases/{cast.case_id}/members", body)
    for who in ("lead", "legal", "dpo"):
        cast.people[who].post(f"/cases/{cast.case_id}/conflict-declarations", {"clean": True})
