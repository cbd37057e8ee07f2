"""Writes to one person about one case, in their language: their name, the reference, what is to do, where, and whom to ask."""

import uuid
from collections.abc import Iterable

from handover.accounts.models import Person
from handover.accounts.queries import email_of, person_name
from handover.cases.models import Case
from handover.context import Context
from handover.desk.people import Named, People
from handover.i18n import Language
from handover.mail import Item, Letter, post
from handover.mail.letter import Kind
from handover.settings import Settings


def tell(
    ctx: Context,
    case: Case,
    people: People,
    to: Named,
    kind: Kind,
    items: list[Item],
    places: Iterable[str],
    cause: str,
) -> bool:
    """A mail to a person who can log in; False where there is none to write to, or they were told of this cause.

    `places` are pages of the case's team: where they are one, the mail leads there. Parties begin at their own page.
    """
    person = ctx.session.get(Person, to.id)
    if person is None or person.password_hash is None or person.suspended_at is not None:
        return False
    language: Language = "en" if person.language == "en" else "zh"
    letter = Letter(
        kind=kind,
        name=person_name(ctx, person.id),
        language=language,
        reference=case.reference,
        items=items,
        url=ctx.get(Settings).public_url + _path(case.reference, to, places),
        contact=_contact(people, case.id, to),
    )
    return post(ctx, letter, person_id=person.id, address=email_of(ctx, person), case_id=case.id, cause=cause)


def _path(reference: str, to: Named, places: Iterable[str]) -> str:
    if to.party:
        return f"/my/{reference}"
    found = set(places)
    return found.pop() if len(found) == 1 else f"/cases/{reference}"


def _contact(people: People, case_id: uuid.UUID, to: Named) -> str:
    return ", ".join(lead.name for lead in people.leads(case_id) if lead.id != to.id)
