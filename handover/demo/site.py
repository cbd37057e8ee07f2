"""`handover serve --demo`: an installation of its own, a case in the middle of each stage, and a page to log in as anybody.

Only an installation that was made as a demo has this page: all its documents say DEMO, and nobody in it is real.
"""

import logging
import os
import uuid
from typing import Any, NamedTuple

import msgspec
from litestar import Request, Response
from sqlalchemy import select

from handover.accounts import factors, sessions
from handover.accounts.models import Person as PersonRow
from handover.accounts.queries import person_name
from handover.cases.models import Member
from handover.context import SYSTEM, Actor, Context, Installation
from handover.crypto.trust import load_trust
from handover.demo.client import PASSWORD, Person
from handover.demo.halfway import STOPS, Halfway, populate
from handover.demo.server import ADMIN, POLICIES
from handover.errors import NotFoundError
from handover.settings import Settings, load
from handover.setup import initialise
from handover.vault import Vault
from handover.web.declared import HASHING
from handover.web.edge import installation_of, language_of, refuse_foreign_site, session_cookie
from handover.web.errors import request_id
from handover.web.html import FORM, Done, page, redirect
from handover.web.html.routes import get_page, post_form

logger = logging.getLogger("handover.demo")
DATA_DIR = "handover-demo-data"
#: In the data directory: what was made, so that a second start makes nothing again.
_MADE = "demo.json"
Req = Request[Any, Any, Any]


class Prepared(NamedTuple):
    """A demo installation; `invitation` is the first administrator's, when it was made just now."""

    settings: Settings
    invitation: dict[str, str] | None


def prepare() -> Prepared:
    """Makes the demo's installation, or finds the one of an earlier start."""
    os.environ.setdefault("HANDOVER_DATA_DIR", DATA_DIR)
    os.environ["HANDOVER_DEMO"] = "1"
    for name, value in POLICIES.items():
        os.environ.setdefault(f"HANDOVER_POLICY_{name}", value)
    settings = load()
    if (settings.data_dir / _MADE).exists():
        return Prepared(settings, None)
    made = initialise(settings, admin_email=ADMIN[1], admin_name=ADMIN[0], demo=True)
    _keep(settings, Halfway())
    return Prepared(settings, {"link": made.link, "code": made.code})


def play(prepared: Prepared, address: str) -> None:
    """Makes the cases through the API of the running server; what fails is said on the terminal."""
    if prepared.invitation is None:
        return
    settings, admin = prepared.settings, Person(address, *ADMIN)
    try:
        admin.enrol(prepared.invitation)
        populate(address, admin, load_trust(settings.trust_dir), lambda made: _keep(settings, made))
        logger.info("the demo's cases are ready: %s/demo", settings.public_url)
    except Exception:
        logger.exception("the demo's cases could not all be made; delete %s to start over", settings.data_dir)
    finally:
        admin.close()


class Player(msgspec.Struct, frozen=True):
    """Somebody to log in as, with what they are in the cases."""

    id: str
    name: str
    roles: list[str]
    identity: str | None


@get_page("/demo", security=[])
def players(request: Req) -> Response[Any]:
    """Who can be played, and which cases there are."""

    def gather(ctx: Context) -> dict[str, Any]:
        made = _made(ctx.get(Settings))
        return {"players": _players(ctx, made), "made": made.made, "wanted": len(STOPS)}

    return page(request, "demo/players.html", gather, anonymous=True)


@post_form("/demo/as/{person_id:uuid}", security=[], opt=HASHING)
def play_as(request: Req, person_id: uuid.UUID, data: FORM) -> Response[Any]:  # noqa: ARG001  (a form without fields)
    """Logs in as one of the invented people, by their password and a telephone code, as the login page does."""
    refuse_foreign_site(request)
    installation = installation_of(request)
    email, code = _credentials(installation, person_id)
    made = sessions.log_in(
        installation,
        email=email,
        password=PASSWORD,
        totp=None,
        telephone_code=code,
        language=language_of(request),
        request_id=request_id(request),
    )
    answer = redirect(request, Done("/"))
    answer.set_cookie(session_cookie(made.token))
    return answer


ROUTES = [players, play_as]


def _credentials(installation: Installation, person_id: uuid.UUID) -> tuple[str, str]:
    with installation.unit_of_work(SYSTEM) as ctx:
        person = ctx.session.get(PersonRow, person_id)
        admin = ctx.session.scalars(select(PersonRow).order_by(PersonRow.id)).first()
        if person is None or admin is None or person.password_hash is None:
            raise NotFoundError("there is no such person")
        helper = admin if person.id != admin.id else _second(ctx, admin.id)
        ctx.actor = Actor(kind="person", person_id=helper.id, roles=frozenset({"platform_admin"}))
        code, _ = factors.issue_code(ctx, person_id)
        email = ctx.get(Vault).open_text("accounts", person.email_sealed, field="people.email", row=person.id)
    return email, code


def _second(ctx: Context, first: uuid.UUID) -> PersonRow:
    return ctx.session.scalars(select(PersonRow).where(PersonRow.id != first).order_by(PersonRow.id).limit(1)).one()


def _players(ctx: Context, made: Halfway) -> list[Player]:
    found = []
    for person in ctx.session.scalars(
        select(PersonRow).where(PersonRow.password_hash.is_not(None)).order_by(PersonRow.id)
    ):
        held = select(Member.role).where(Member.person_id == person.id, Member.ended_at.is_(None)).distinct()
        roles = sorted({*person.organisation_roles, *ctx.session.scalars(held)})
        email = ctx.get(Vault).open_text("accounts", person.email_sealed, field="people.email", row=person.id)
        found.append(Player(str(person.id), person_name(ctx, person.id), roles, made.identities.get(email)))
    return found


def _made(settings: Settings) -> Halfway:
    return msgspec.json.decode((settings.data_dir / _MADE).read_bytes(), type=Halfway)


def _keep(settings: Settings, made: Halfway) -> None:
    path = settings.data_dir / _MADE
    path.with_suffix(".new").write_bytes(msgspec.json.encode(made))
    path.with_suffix(".new").replace(path)
