"""Attempts to prove who one is, counted in the database before they are judged.

Counted per account, never per address: an address can be forged, and one guesser must not lock out others. The count
is committed on its own, so a refused attempt stays counted; it opens again by itself.
"""

import datetime as dt

from sqlalchemy import delete

from handover.accounts.errors import TooManyAttemptsError
from handover.accounts.models import LoginThrottle
from handover.context import Actor, Context, Installation
from handover.errors import ConflictError
from handover.settings import Settings


def count(installation: Installation, actor: Actor, subject: str, request_id: str) -> None:
    """Counts one attempt at `subject` (a digest), whether such an account exists or not.

    Raises:
        TooManyAttemptsError: says when the next attempt is judged.
    """
    try:
        _counted(installation, actor, subject, request_id)
    except ConflictError:  # two first attempts at once: now the row is there
        _counted(installation, actor, subject, request_id)


def reset(ctx: Context, subject: str) -> None:
    """Forgets the attempts, after one that was right."""
    ctx.session.execute(delete(LoginThrottle).where(LoginThrottle.subject == subject))


def _counted(installation: Installation, actor: Actor, subject: str, request_id: str) -> None:
    with installation.unit_of_work(actor, request_id=request_id) as ctx:
        policy, now = ctx.get(Settings).policy, ctx.now()
        window = dt.timedelta(minutes=policy.login_window_minutes)
        row = ctx.session.get(LoginThrottle, subject, with_for_update=True)
        if row is None:
            # Guesses at accounts that do not exist leave rows too; they go when the next ones come.
            ctx.session.execute(delete(LoginThrottle).where(LoginThrottle.window_started_at <= now - window))
            row = LoginThrottle(subject=subject, attempts=0, window_started_at=now)
            ctx.session.add(row)
        if row.window_started_at + window <= now:
            row.attempts, row.window_started_at = 0, now
        if row.attempts >= policy.login_attempts:
            seconds = int((row.window_started_at + window - now).total_seconds()) + 1
            raise TooManyAttemptsError(f"too many attempts; try again in {seconds} seconds", retry_after=seconds)
        row.attempts += 1
