"""Reminders to copy into a chat or a mail: plain text in both languages, without names of files, customers or companies."""

import uuid

import msgspec

from handover.accounts.models import Person
from handover.context import Context
from handover.desk.people import Named
from handover.desk.work import Work, people_waited_for
from handover.i18n import Language
from handover.settings import Settings


class Reminder(msgspec.Struct, frozen=True, kw_only=True):
    """What to send to one person; the text in their own language comes first."""

    to: Named
    texts: list[tuple[Language, str]]


def reminders(ctx: Context, reference: str, works: list[Work], leads: list[Named]) -> list[Reminder]:
    """A text for everybody who is waited for, except the reader."""
    me = ctx.actor.person_id
    return [
        Reminder(to=person, texts=_texts(ctx, reference, person, waiting, leads))
        for person, waiting in people_waited_for(works)
        if person.id != me
    ]


def _texts(
    ctx: Context, reference: str, person: Named, works: list[Work], leads: list[Named]
) -> list[tuple[Language, str]]:
    address = f"{ctx.get(Settings).public_url}/{'my' if person.party else 'cases'}/{reference}"
    contact = ", ".join(lead.name for lead in leads)
    what = list(dict.fromkeys(work.what for work in works))
    zh = f"{person.name}，您好！案件 {reference} 有事项等您处理：{'；'.join(w.zh for w in what)}。请登录办理：{address}"
    en = f"Hello {person.name}, in case {reference} it is your turn: {'; '.join(w.en for w in what)}. Please log in: {address}"
    if contact:
        zh += f"。有疑问请联系{contact}。"
        en += f" . Questions? Ask {contact}."
    texts: list[tuple[Language, str]] = [("zh", zh), ("en", en)]
    return texts if _language(ctx, person.id) == "zh" else texts[::-1]


def _language(ctx: Context, person_id: uuid.UUID) -> str:
    row = ctx.session.get(Person, person_id)
    return row.language if row is not None else "zh"
