"""The HTTP route that invites people, alone or into a case; accounts has the routes that accept an invitation."""

import uuid
from typing import Annotated, Any

from litestar import Request, Response, post
from msgspec import Meta

from handover.cases import invitations
from handover.context import Context
from handover.errors import InvalidInputError
from handover.web import creating
from handover.web.examples import problems
from handover.web.forms import Form, Line, Word

Req = Request[Any, Any, Any]


class NewInvitation(Form):
    """Who is invited, and perhaps their place in a case; administrators alone give roles in the installation."""

    email: Line
    name: Line
    language: Annotated[str, Meta(pattern="^(zh|en)$")] = "zh"
    organisation_roles: tuple[str, ...] = ()
    case_id: uuid.UUID | None = None
    role: Word | None = None
    party_id: uuid.UUID | None = None


@post(
    "/api/v1/invitations", sync_to_thread=True, tags=["invitations"], responses=problems(400, 401, 403, 404, 409, 422)
)
def invite(request: Req, data: NewInvitation) -> Response[invitations.Invitation]:
    """Invites a person, with `case_id` and `role` straight into a case; link and code are shown this once.

    Who has an account already gets the role, and no link is made.
    """

    def work(ctx: Context) -> invitations.Invitation:
        who: dict[str, Any] = {"email": data.email, "name": data.name, "language": data.language}
        if data.case_id is None and data.role is None and data.party_id is None:
            return invitations.invite(ctx, **who, organisation_roles=list(data.organisation_roles))
        if data.case_id is None or data.role is None:
            raise InvalidInputError("an invitation into a case names case_id and role together", field="case_id")
        if data.organisation_roles:
            raise InvalidInputError(
                "roles in the installation are given in an invitation without a case", field="organisation_roles"
            )
        return invitations.invite_to_case(ctx, data.case_id, **who, role=data.role, party_id=data.party_id)

    return creating(request, work)


ROUTES = [invite]
