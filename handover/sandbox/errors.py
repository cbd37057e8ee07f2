"""What can go wrong with a child; no message ever quotes what the child was reading."""

from handover.errors import HandoverError, Kind


class SandboxError(HandoverError):
    """A child did not finish its work."""

    code = "sandbox_failed"
    kind = Kind.INVALID


class SandboxTimeoutError(SandboxError):
    """The child used more time than it was given."""

    code = "sandbox_timeout"


class SandboxMemoryError(SandboxError):
    """The child needed more memory than it was given."""

    code = "sandbox_memory"
    kind = Kind.TOO_LARGE


class SandboxOutputError(SandboxError):
    """The child wrote more than it may."""

    code = "sandbox_output"
    kind = Kind.TOO_LARGE


class SandboxCrashError(SandboxError):
    """The child ended in a way that it should not; `details["where"]` is its last sanitised word."""

    code = "sandbox_crash"
    kind = Kind.INTERNAL
