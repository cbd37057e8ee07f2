"""What other rooms use of accounts."""

from handover.accounts.factors import require_recent as require_recent_second_factor
from handover.accounts.passkeys import verify_assertion
from handover.accounts.people import Invited, invite, invite_first_again
from handover.accounts.sessions import signing_method
from handover.context import Context

__all__ = [
    "invite_admin",
    "invite_first_again",
    "require_recent_second_factor",
    "signing_method",
    "verify_assertion",
]


def invite_admin(ctx: Context, email: str, name: str) -> Invited:
    """Invites the first administrator, who is also the first consultant's colleague who invites everyone else."""
    return invite(ctx, email=email, name=name, language="zh", organisation_roles=["platform_admin"])
