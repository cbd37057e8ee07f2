"""Everything that can be wrong with a ciphertext, signature, proof or key, each with its own stable code.

Verification raises one of these and never returns a boolean. No message contains a secret.
"""

from handover.errors import HandoverError, Kind


class CryptoError(HandoverError):
    """Base of all errors of `handover.crypto`."""

    code = "crypto_error"
    kind = Kind.VERIFICATION


class KeyFormatError(CryptoError):
    """A recipient, identity, signing key or signer list is not in its one valid form."""

    code = "key_invalid"
    kind = Kind.INVALID


class ArmorError(CryptoError):
    """The ASCII armor of an age file is malformed."""

    code = "age_armor_invalid"


class HeaderError(CryptoError):
    """The header of an age file is malformed, or is not of a kind that this product reads."""

    code = "age_header_invalid"


class HeaderMacError(CryptoError):
    """The header parses and a key opened it, but it was altered after it was written."""

    code = "age_header_altered"


class NoMatchError(CryptoError):
    """None of the identities opens the file: it was made for another key."""

    code = "wrong_key"


class PayloadError(CryptoError):
    """The payload of an age file does not verify; `chunk` counts 64 KiB chunks from 0."""

    code = "age_payload_invalid"

    def __init__(self, message: str, chunk: int) -> None:
        super().__init__(message, chunk=chunk)
        self.chunk = chunk


class DamagedChunkError(PayloadError):
    """One chunk was altered; everything before it is whole."""

    code = "age_chunk_damaged"


class CutShortError(PayloadError):
    """The file ends before its final chunk."""

    code = "age_cut_short"


class LastChunkError(PayloadError):
    """The last chunk present is incomplete or altered; the two can't be told apart."""

    code = "age_last_chunk_invalid"


class TrailingDataError(PayloadError):
    """Bytes follow the final chunk."""

    code = "age_trailing_data"


class SourceChangedError(CryptoError):
    """A file changed while it was being encrypted."""

    code = "source_changed"
    kind = Kind.CONFLICT


class SignatureError(CryptoError):
    """A signature does not hold, or is not by an expected key."""

    code = "signature_invalid"


class ProofError(CryptoError):
    """A Merkle inclusion or consistency proof does not hold."""

    code = "proof_invalid"


class NoteError(CryptoError):
    """A signed note or checkpoint is malformed."""

    code = "note_invalid"


class CanonicalError(CryptoError):
    """A value has no canonical form, or bytes are not in theirs."""

    code = "not_canonical"
    kind = Kind.INVALID


class SealedValueError(CryptoError):
    """A sealed value does not open: another key, another place, or altered bytes."""

    code = "sealed_value_invalid"
