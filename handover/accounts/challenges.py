"""Challenges that a passkey answers: bound to a purpose and a subject, ten minutes, single use.

A challenge carries its own expiry under a keyed digest, so that showing one writes nothing; only an answered one is
kept, by its digest, until it would have expired.
"""

import datetime as dt
import hmac
import secrets
from hashlib import sha256

from sqlalchemy import delete

from handover.accounts.errors import PasskeyError
from handover.accounts.models import SpentChallenge
from handover.context import Context
from handover.vault import Vault

LIFETIME = dt.timedelta(minutes=10)
_RANDOM, _TIME = 16, 8


def issue(ctx: Context, purpose: str, subject: str) -> bytes:
    """A fresh challenge; nothing is stored."""
    until = int((ctx.now() + LIFETIME).timestamp())
    body = secrets.token_bytes(_RANDOM) + until.to_bytes(_TIME, "big")
    return body + _mark(ctx, purpose, subject, body)


def spend(ctx: Context, challenge: bytes, purpose: str, subject: str) -> None:
    """Takes a challenge of ours, for this purpose and subject, once.

    Raises:
        PasskeyError: it is not ours, is for something else, expired, or was answered before.
    """
    body, mark = challenge[: _RANDOM + _TIME], challenge[_RANDOM + _TIME :]
    if not hmac.compare_digest(mark, _mark(ctx, purpose, subject, body)):
        raise PasskeyError("this answer of a passkey is for something else; load the page again")
    until = dt.datetime.fromtimestamp(int.from_bytes(body[_RANDOM:], "big"), dt.UTC)
    digest = sha256(challenge).hexdigest()
    ctx.session.execute(delete(SpentChallenge).where(SpentChallenge.expires_at < ctx.now()))
    if until < ctx.now() or ctx.session.get(SpentChallenge, digest) is not None:
        raise PasskeyError("this took too long, or was sent twice; try the passkey again")
    ctx.session.add(SpentChallenge(challenge_sha256=digest, expires_at=until))
    ctx.session.flush()  # of two answers at once one fails here


def _mark(ctx: Context, purpose: str, subject: str, body: bytes) -> bytes:
    return bytes.fromhex(ctx.get(Vault).digest("accounts", f"challenge:{purpose}", f"{subject}:{body.hex()}"))
