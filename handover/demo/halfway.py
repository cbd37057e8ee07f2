"""A case in the middle of each stage, for `handover serve --demo`: played through the HTTP API, left where people act next."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from handover.crypto.age import generate_identity
from handover.crypto.trust import Trust
from handover.demo import records, stages
from handover.demo.cast import Cast, gather, open_case
from handover.demo.client import Person
from handover.demo.play import close_the_deal, loser_declares

#: Small enough that all cases are there within two minutes.
CUSTOMERS = 120
#: Where each case is left, in the order in which they are made; the states of the machine `case`.
STOPS = (
    "nda_pending",
    "inventory",
    "redaction",
    "packaging",
    "recipient_verification",
    "handover",
    "destruction",
    "closed",
)


class Halfway(msgspec.Struct):
    """What was made so far."""

    #: Reference and state of each case.
    made: list[tuple[str, str]] = []
    #: The keys of invented recipients, by their e-mail; a real one never leaves its owner's computer.
    identities: dict[str, str] = {}


def populate(address: str, admin: Person, trust: Trust, keep: Callable[[Halfway], None]) -> None:
    """Makes the people, and a case for every stop; `keep` is told after each."""
    cast, made = gather(address, admin), Halfway()
    identity = made.identities[cast.recipient.email] = generate_identity()
    keep(made)
    with _records() as (files, subjects):
        for stop in STOPS:
            _play_to(_Road(cast, files, subjects, identity, trust), stop)
            made.made.append((str(cast.case["reference"]), stop))
            keep(made)


@contextmanager
def _records() -> Iterator[tuple[list[Path], list[str]]]:
    people = records.customers(CUSTOMERS, 1)
    with tempfile.TemporaryDirectory() as folder:
        yield records.write_all(people, Path(folder), 1), [person.number for person in people]


def _play_to(road: "_Road", stop: str) -> None:
    cast = road.cast
    steps: list[tuple[str, Callable[[], None], Callable[[], None]]] = [
        ("nda_pending", road.sign, road.half_sign),
        ("inventory", road.take_inventory, road.half_inventory),
        ("redaction", road.redact, road.half_redact),
        ("packaging", road.pack, road.half_pack),
        ("recipient_verification", road.release, road.half_release),
        ("handover", road.hand_over, road.half_hand_over),
        ("destruction", road.destroy, road.half_destroy),
    ]
    open_case(cast, "asset_transfer")
    cast.lead.move("cases", cast.case_id, "open")
    for state, whole, half in steps:
        if state == stop:
            half()
            return
        whole()


@dataclass(slots=True)
class _Road:
    """The stages, each to its end or to its middle."""

    cast: Cast
    files: list[Path]
    subjects: list[str]
    identity: str
    trust: Trust
    runs: dict[str, str] = field(default_factory=dict)
    winner: str = ""
    package: dict[str, str] = field(default_factory=dict)

    def half_sign(self) -> None:
        """The team has signed; the seller and the winning bidder have not."""
        stages.sign_ndas(self.cast, only=("lead", "legal", "dpo", "custodian", "executor", "witness", "loser"))

    def sign(self) -> None:
        stages.sign_ndas(self.cast)

    def half_inventory(self) -> None:
        """Two files are inspected; one of them is decided by the custodian."""
        for path in self.files[:2]:
            stages.add_record_set(self.cast, path, self.cast.seller_admin.upload(self.cast.case_id, path))
        rows = self.cast.lead.get("/record-sets", case_id=self.cast.case_id)
        for row in rows:
            self.cast.custodian.wait(f"/record-sets/{row['id']}", "classified")
        stages.decide(self.cast, rows[0]["id"])

    def take_inventory(self) -> None:
        stages.take_inventory(self.cast, self.files)

    def half_redact(self) -> None:
        """The run for the winning bidder waits for its reviewer."""
        run = stages.start_redaction(self.cast, "winner", 0)
        self.cast.legal.wait(f"/redactions/{run}", "human_review", refuse=("failed",))

    def redact(self) -> None:
        self.runs = stages.redact(self.cast, ["winner", "loser"])
        self.cast.legal.move("cases", self.cast.case_id, "accept_redaction")

    def half_pack(self) -> None:
        """The winner's redacted package waits for its release; the other bidder's key is not verified."""
        self._verify_winner()
        package = stages.build_package(self.cast, "due_diligence", self.winner, self.runs["winner"])
        self.cast.lead.move("packages", package["id"], "request_release")

    def pack(self) -> None:
        self._verify_winner()
        cast = self.cast
        cast.lead.post(f"/parties/{cast.parties['winner']['id']}/standing", {"standing": "won"})
        cast.lead.post(f"/parties/{cast.parties['loser']['id']}/standing", {"standing": "lost"})
        stages.tell_and_ask(cast, self.subjects)
        close_the_deal(cast)
        loser_declares(cast)
        self.package = stages.build_package(cast, "closing", self.winner, None)
        cast.lead.move("cases", cast.case_id, "packages_ready")

    def half_release(self) -> None:
        """The closing package waits for the seller's and legal's approval."""
        self.cast.lead.move("packages", self.package["id"], "request_release")

    def release(self) -> None:
        stages.approve_release(self.cast, self.package)
        self.cast.lead.move("cases", self.cast.case_id, "start_handover")

    def half_hand_over(self) -> None:
        """The buyer can download."""
        stages.delivery_of(self.cast.recipient, self.cast.case_id, self.package["id"])

    def hand_over(self) -> None:
        stages.receive(self.cast, self.package["id"], self.identity, self.trust)

    def half_destroy(self) -> None:
        """The order waits for its approvals."""
        stages.prepare_destruction(self.cast)

    def destroy(self) -> None:
        stages.destroy(self.cast)
        self.cast.lead.move("cases", self.cast.case_id, "close")
        self.cast.legal.move("cases", self.cast.case_id, "close")

    def _verify_winner(self) -> None:
        self.winner, _ = stages.verify_recipient(self.cast, "recipient", "winner", self.identity, mistype=False)
