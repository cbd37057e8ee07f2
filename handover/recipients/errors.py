"""What can be wrong with a recipient or a key."""

from handover.errors import ConflictError, HandoverError, InvalidInputError, Kind


class KeyRefusedError(InvalidInputError):
    """The public key is malformed, of the wrong kind for the case, or known already."""

    code = "recipient_key_refused"


class ProofRefusedError(ConflictError):
    """The answer to the challenge is wrong, late or was used before; ask for a new challenge."""

    code = "possession_proof_refused"


class SafetyNumberMismatchError(HandoverError):
    """The typed safety number is not the key's: the key is rejected and both sides are told."""

    code = "safety_number_mismatch"
    kind = Kind.CONFLICT


class VerifierError(HandoverError):
    """This person may not verify this key: it takes two others, from two sides."""

    code = "verifier_not_independent"
    kind = Kind.FORBIDDEN
