"""Passkeys (WebAuthn Level 3): registered with user verification, so that one is a second factor, or a whole login.

The relying party is the host of the public address. Attestation is not asked for: which make an authenticator is says
nothing about who holds it.
"""

import datetime as dt
import uuid
from hashlib import sha256
from urllib.parse import urlsplit

import msgspec
import webauthn
from sqlalchemy import select
from webauthn.helpers import (
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from handover.accounts import challenges
from handover.accounts.errors import PasskeyError
from handover.accounts.factors import require_recent
from handover.accounts.models import Passkey, Person
from handover.accounts.queries import person_name
from handover.audit import AuditLog
from handover.context import Context
from handover.db import new_id
from handover.errors import ConflictError, NotFoundError
from handover.settings import Settings
from handover.vault import Vault

#: More than anybody has devices.
MAX_PASSKEYS = 20
LOGIN, STEP_UP, REGISTER = "login", "step_up", "register"
_MALFORMED = (WebAuthnException, ValueError, KeyError, TypeError)
_SAFE_TO_ASK = UserVerificationRequirement.REQUIRED


class PasskeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey of the acting person."""

    id: str
    name: str
    created_at: dt.datetime
    used_at: dt.datetime | None


def login_options(ctx: Context) -> str:
    """What a browser is asked for a login: any passkey of this site, so that nobody learns who has one."""
    return _request(ctx, LOGIN, "", [])


def step_up_options(ctx: Context) -> str:
    """What a browser is asked to prove the second factor again; empty for somebody without passkeys."""
    rows = live(ctx, ctx.person())
    return _request(ctx, STEP_UP, str(ctx.actor.session_id), rows) if rows and ctx.actor.session_id else ""


def registration_options(ctx: Context, person: Person) -> str:
    """What a browser is asked to make a passkey for this person."""
    email = ctx.get(Vault).open_text("accounts", person.email_sealed, field="people.email", row=person.id)
    host, _ = _site(ctx)
    options = webauthn.generate_registration_options(
        rp_id=host,
        rp_name="handover",
        user_id=person.id.bytes,
        user_name=email,
        user_display_name=person_name(ctx, person.id),
        challenge=challenges.issue(ctx, REGISTER, str(person.id)),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_SAFE_TO_ASK
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(row.credential_id) for row in live(ctx, person.id)],
    )
    return webauthn.options_to_json(options)


def register(ctx: Context, person: Person, *, name: str, credential: str) -> Passkey:
    """Keeps the passkey that a browser made.

    Raises:
        PasskeyError: the answer does not hold. ConflictError: it is registered already, or there are too many.
    """
    if len(live(ctx, person.id)) >= MAX_PASSKEYS:
        raise ConflictError("remove a passkey that is not used any more first", limit=MAX_PASSKEYS)
    made = _registration(ctx, person, credential)
    digest = sha256(made.credential_id).hexdigest()
    if ctx.session.scalars(select(Passkey).where(Passkey.credential_sha256 == digest)).one_or_none() is not None:
        raise ConflictError("this passkey is registered already")
    identifier = new_id()
    row = Passkey(
        id=identifier,
        person_id=person.id,
        credential_sha256=digest,
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        name_sealed=ctx.get(Vault).seal_text("accounts", name, field="passkeys.name", row=identifier),
    )
    ctx.session.add(row)
    ctx.session.flush()
    ctx.get(AuditLog).append(ctx, "account.passkey_registered", entity="passkey", entity_id=row.id)
    return row


def add(ctx: Context, *, name: str, credential: str) -> Passkey:
    """One more passkey of the acting person, who proved a second factor a short while ago.

    Raises:
        SecondFactorRequiredError, PasskeyError, ConflictError
    """
    require_recent(ctx)
    person = ctx.session.get_one(Person, ctx.person(), with_for_update=True)
    return register(ctx, person, name=name, credential=credential)


def prove(ctx: Context, assertion: str, purpose: str, subject: str) -> Passkey:
    """The passkey that answered a challenge of ours, which is spent now.

    Raises:
        PasskeyError: the answer does not hold, is for something else, or comes too late.
    """
    challenge = _challenge_of(_parsed(assertion))
    row = verify_assertion(ctx, assertion, challenge)
    challenges.spend(ctx, challenge, purpose, subject)
    return row


def verify_assertion(ctx: Context, assertion: str, challenge: bytes) -> Passkey:
    """The passkey that signed exactly this challenge, with its user verified; `assertion` is the browser's JSON.

    For a signature the challenge is the digest of the canonical statement; keep the assertion beside it then.

    Raises:
        PasskeyError: unknown, removed, another challenge or site, or the signature does not hold.
    """
    given = _parsed(assertion)
    query = select(Passkey).where(Passkey.credential_sha256 == sha256(given.raw_id).hexdigest()).with_for_update()
    row = ctx.session.scalars(query).one_or_none()
    if row is None or row.removed_at is not None:
        raise PasskeyError("this passkey is not known here, or was removed")
    handle = given.response.user_handle
    if handle is not None and handle != row.person_id.bytes:
        raise PasskeyError("this passkey belongs to another account")
    host, origin = _site(ctx)
    try:
        verified = webauthn.verify_authentication_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=host,
            expected_origin=origin,
            credential_public_key=row.public_key,
            credential_current_sign_count=row.sign_count,
            require_user_verification=True,
        )
    except _MALFORMED as error:
        raise PasskeyError("the passkey's answer does not hold; load the page again") from error
    row.sign_count, row.used_at = verified.new_sign_count, ctx.now()
    return row


def live(ctx: Context, person_id: uuid.UUID) -> list[Passkey]:
    """A person's passkeys, oldest first."""
    query = select(Passkey).where(Passkey.person_id == person_id, Passkey.removed_at.is_(None)).order_by(Passkey.id)
    return list(ctx.session.scalars(query))


def own(ctx: Context) -> list[PasskeyView]:
    """The acting person's passkeys."""
    vault = ctx.get(Vault)
    return [
        PasskeyView(
            id=str(row.id),
            name=vault.open_text("accounts", row.name_sealed, field="passkeys.name", row=row.id),
            created_at=row.created_at,
            used_at=row.used_at,
        )
        for row in live(ctx, ctx.person())
    ]


def remove(ctx: Context, passkey_id: uuid.UUID) -> None:
    """Takes a passkey of the acting person out of use.

    Raises:
        NotFoundError: they have no such one. ConflictError: it is the only second factor they hold themselves.
    """
    require_recent(ctx)
    row = ctx.session.get(Passkey, passkey_id)
    if row is None or row.person_id != ctx.person() or row.removed_at is not None:
        raise NotFoundError("there is no such passkey")
    person = ctx.session.get_one(Person, row.person_id)
    if person.totp_sealed is None and len(live(ctx, person.id)) == 1:
        raise ConflictError("this is your only second factor; set up an authenticator app or another passkey first")
    row.removed_at = ctx.now()
    ctx.get(AuditLog).append(ctx, "account.passkey_removed", entity="passkey", entity_id=row.id)


def _request(ctx: Context, purpose: str, subject: str, rows: list[Passkey]) -> str:
    host, _ = _site(ctx)
    options = webauthn.generate_authentication_options(
        rp_id=host,
        challenge=challenges.issue(ctx, purpose, subject),
        allow_credentials=[PublicKeyCredentialDescriptor(row.credential_id) for row in rows],
        user_verification=_SAFE_TO_ASK,
    )
    return webauthn.options_to_json(options)


def _registration(ctx: Context, person: Person, credential: str) -> VerifiedRegistration:
    host, origin = _site(ctx)
    try:
        given = parse_registration_credential_json(credential)
        challenge = _challenge_of(given)
        made = webauthn.verify_registration_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=host,
            expected_origin=origin,
            require_user_verification=True,
        )
    except _MALFORMED as error:
        raise PasskeyError("the passkey's answer does not hold; load the page again") from error
    challenges.spend(ctx, challenge, REGISTER, str(person.id))
    return made


def _parsed(assertion: str) -> AuthenticationCredential:
    try:
        return parse_authentication_credential_json(assertion)
    except _MALFORMED as error:
        raise PasskeyError("this is not a passkey's answer") from error


def _challenge_of(given: AuthenticationCredential | RegistrationCredential) -> bytes:
    try:
        return parse_client_data_json(given.response.client_data_json).challenge
    except _MALFORMED as error:
        raise PasskeyError("this is not a passkey's answer") from error


def _site(ctx: Context) -> tuple[str, str]:
    """The relying party's id and origin; an origin never carries the port that its scheme implies."""
    parts = urlsplit(ctx.get(Settings).public_url)
    host, port = parts.hostname or "", parts.port
    implied = {"https": 443, "http": 80}[parts.scheme]
    return host, f"{parts.scheme}://{host}" + (f":{port}" if port and port != implied else "")
