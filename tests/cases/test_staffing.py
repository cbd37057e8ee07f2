"""The staffing of docs/staffing.md can walk every transition under every rule of separation; fewer people cannot."""

from itertools import combinations, permutations

import pytest

from handover.cases.separation import ROLES, clash
from handover.resources import data_folder
from handover.workflow.definition import Transition, read

STAFF: dict[str, frozenset[str]] = {
    "A": frozenset({"lead_consultant", "security_officer", "custodian", "destruction_executor"}),
    "B": frozenset({"legal", "dpo"}),
    "C": frozenset({"seller_admin", "seller_signatory"}),
    "D": frozenset({"buyer_admin", "buyer_signatory", "recipient", "witness"}),
}
_SIDES = {"A": "agency", "B": "agency", "C": "seller", "D": "buyer"}
TRANSITIONS = [
    (definition.name, row)
    for definition in (read(path).definition for path in sorted(data_folder("workflows").glob("*.toml")))
    for row in definition.transitions
]


def _holders(roles: frozenset[str]) -> set[str]:
    return {person for person, held in STAFF.items() if held & roles}


@pytest.mark.parametrize(("machine", "row"), TRANSITIONS, ids=lambda v: v if isinstance(v, str) else v.trigger)
def test_somebody_may_fire_every_transition_and_different_people_approve_it(machine: str, row: Transition) -> None:
    if row.who == ["system"]:
        return
    assert _holders(row.allowed_roles), f"nobody may {row.trigger} a {machine}"
    if row.approvals:
        lists = [frozenset(names) for names in row.approvals]
        assert any(
            all(person in _holders(wanted) for person, wanted in zip(people, lists, strict=True))
            for people in permutations(STAFF, len(lists))
        )


def test_nobody_holds_roles_that_exclude_one_another() -> None:
    assert {person: clash(roles) for person, roles in STAFF.items()} == dict.fromkeys(STAFF)


def test_the_chain_of_a_destruction_has_four_different_people() -> None:
    approvals = next(row.approvals for name, row in TRANSITIONS if (name, row.trigger) == ("destruction", "approve"))
    first, second = (_holders(frozenset(names)) for names in approvals)
    executors, witnesses = _holders(frozenset({"destruction_executor"})), _holders(frozenset({"witness"}))
    assert not (first | second) & (executors | witnesses)
    assert not executors & witnesses
    assert any(one != other for one in first for other in second)


def test_a_recipients_key_can_be_verified_by_two_others_of_two_sides() -> None:
    (recipient,) = _holders(frozenset({"recipient"}))
    verifiers = [person for person in STAFF if person != recipient]
    assert any(_SIDES[a] != _SIDES[b] for a, b in combinations(verifiers, 2))


def test_three_people_are_not_enough() -> None:
    needed = ("lead_consultant", "legal", "seller_signatory", "buyer_signatory")
    assert all(clash(pair) for pair in combinations(needed, 2))


@pytest.mark.parametrize("role", sorted(ROLES - {"auditor"}))
def test_an_auditor_holds_no_other_role(role: str) -> None:
    assert clash({"auditor", role}) is not None
