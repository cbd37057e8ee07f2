"""What can be wrong with a login, a link or a code. Wrong and unknown answer alike."""

from handover.errors import HandoverError, Kind


class LoginError(HandoverError):
    """E-mail, password or second factor are wrong; which of them is not said."""

    code = "login_failed"
    kind = Kind.UNAUTHENTICATED


class PasskeyError(LoginError):
    """A passkey's answer does not hold, or comes too late; said as any other refused login."""


class NotLoggedInError(HandoverError):
    """No valid session or token came with the request."""

    code = "not_logged_in"
    kind = Kind.UNAUTHENTICATED


class TooManyAttemptsError(HandoverError):
    """Too many attempts for this account; it opens again by itself."""

    code = "too_many_attempts"
    kind = Kind.THROTTLED


class SecondFactorRequiredError(HandoverError):
    """This act needs a second factor that was proven in this session a short while ago."""

    code = "second_factor_required"
    kind = Kind.FORBIDDEN


class InvitationError(HandoverError):
    """The link is unknown, used or expired, or the code does not fit it."""

    code = "invitation_invalid"
    kind = Kind.GONE
