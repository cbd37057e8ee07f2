"""Which roles one person may hold together in a case, and which roles belong to which side.

Separation of duties, all hard: an auditor writes nothing; who administers the platform approves nothing; who executes
a destruction neither approves nor witnesses it; a recipient's key is verified by others.
"""

from collections.abc import Iterable

from handover.errors import ConflictError

AGENCY_ROLES = frozenset({"consultant", "lead_consultant", "legal", "dpo", "security_officer"})
SELLER_ROLES = frozenset({"seller_admin", "seller_signatory"})
BUYER_ROLES = frozenset({"buyer_admin", "buyer_signatory"})
#: Roles of either the agency or a party.
NEUTRAL_ROLES = frozenset({"custodian", "destruction_executor", "witness", "auditor"})
ROLES = AGENCY_ROLES | SELLER_ROLES | BUYER_ROLES | NEUTRAL_ROLES | {"recipient"}

_DECIDES_DESTRUCTION = frozenset({"seller_signatory", "seller_admin", "legal", "dpo"})
#: Pairs that one person may not hold in the same case.
_APART: tuple[tuple[frozenset[str], frozenset[str]], ...] = (
    (frozenset({"auditor"}), ROLES - {"auditor"}),
    (frozenset({"destruction_executor"}), _DECIDES_DESTRUCTION | {"witness"}),
    (frozenset({"witness"}), _DECIDES_DESTRUCTION),
    (AGENCY_ROLES, SELLER_ROLES | BUYER_ROLES | {"recipient"}),
    (SELLER_ROLES, BUYER_ROLES | {"recipient"}),
    (frozenset({"legal", "dpo"}), frozenset({"consultant", "lead_consultant"})),
)


def clash(roles: Iterable[str]) -> tuple[str, str] | None:
    """Two of these roles that one person may not hold together; None when all go together."""
    held = sorted(set(roles))
    for first in held:
        for second in held:
            if first != second and any(first in a and second in b for a, b in _APART):
                return first, second
    return None


def check_clash(roles: Iterable[str], organisation: frozenset[str]) -> None:
    """These roles in one case go together, and with the person's roles in the installation.

    Raises:
        ConflictError: they do not.
    """
    held = set(roles)
    pair = clash(held)
    if pair is not None:
        raise ConflictError(f"one person cannot be both {pair[0]} and {pair[1]} in a case")
    if "platform_admin" in organisation and held - {"auditor"}:
        raise ConflictError("a platform administrator takes no part in a case")
    if "auditor" in organisation and held - {"auditor"}:
        raise ConflictError("an auditor of the installation holds no writing role in a case")


def sides_of(role: str) -> frozenset[str]:
    """The sides of parties for which a role is held; empty for roles that need no party."""
    if role in SELLER_ROLES:
        return frozenset({"seller", "target"})
    if role in BUYER_ROLES:
        return frozenset({"buyer"})
    if role == "recipient":
        return frozenset({"buyer", "seller", "target"})
    return frozenset()
