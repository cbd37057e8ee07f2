"""Choices of the forms about people: every place in a case that somebody can be given, and the places on the map."""

import uuid

from handover.cases.queries import parties, party_name
from handover.cases.separation import AGENCY_ROLES, NEUTRAL_ROLES, ROLES, sides_of
from handover.context import Context
from handover.documents.templates import label
from handover.errors import InvalidInputError

#: ISO 3166-2 codes of the mainland, then the regions and countries where parties of such deals usually are.
PLACES = (
    *("CN", "CN-11", "CN-12", "CN-13", "CN-14", "CN-15", "CN-21", "CN-22", "CN-23", "CN-31", "CN-32", "CN-33"),
    *("CN-34", "CN-35", "CN-36", "CN-37", "CN-41", "CN-42", "CN-43", "CN-44", "CN-45", "CN-46", "CN-50", "CN-51"),
    *("CN-52", "CN-53", "CN-54", "CN-61", "CN-62", "CN-63", "CN-64", "CN-65", "HK", "MO", "TW", "SG", "JP", "US", "DE"),
)


def roles_with_parties(ctx: Context, case_id: uuid.UUID) -> list[tuple[str, str]]:
    """Every place in the case: a role, with the party for which it is held where it takes one; value and what is shown."""
    found = [(f"{role}:", _shown(ctx, role, None)) for role in sorted(AGENCY_ROLES | NEUTRAL_ROLES)]
    for row in parties(ctx, case_id):
        name = party_name(ctx, row)
        mine = [role for role in sorted(ROLES) if row.side in sides_of(role)]
        if row.side in {"seller", "target"}:
            mine += ["custodian", "destruction_executor", "witness"]
        found += [(f"{role}:{row.id}", _shown(ctx, role, name)) for role in mine]
    return found


def chosen(place: str) -> tuple[str, uuid.UUID | None]:
    """The role and the party that a chosen place stands for.

    Raises:
        InvalidInputError: not one of the places.
    """
    role, _, party_id = place.partition(":")
    try:
        return role, uuid.UUID(party_id) if party_id else None
    except ValueError as error:
        raise InvalidInputError("choose a role from the list", field="place") from error


def _shown(ctx: Context, role: str, party: str | None) -> str:
    name = label(role).in_language(ctx.language)
    return f"{name} · {party}" if party else name
