"""ML-DSA-65 (FIPS 204) raw signatures, each bound to a context string that names what is signed."""

from hashlib import sha256

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from handover.crypto.errors import KeyFormatError, SignatureError

PUBLIC_SIZE = 1952
SIGNATURE_SIZE = 3309


def generate() -> MLDSA65PrivateKey:
    """A new signing key."""
    return MLDSA65PrivateKey.generate()


def sign(key: MLDSA65PrivateKey, context: str, message: bytes) -> bytes:
    """A raw signature of 3,309 bytes."""
    return key.sign(message, context.encode())


def verify(key: MLDSA65PublicKey, context: str, message: bytes, signature: bytes) -> None:
    """Checks a raw signature.

    Raises:
        SignatureError: it does not hold for this key, context and message.
    """
    try:
        key.verify(signature, message, context.encode())
    except (InvalidSignature, ValueError) as error:
        raise SignatureError(f"the ML-DSA-65 signature for {context} does not hold") from error


def public_from_bytes(data: bytes) -> MLDSA65PublicKey:
    """The public key of 1,952 raw bytes."""
    try:
        return MLDSA65PublicKey.from_public_bytes(data)
    except ValueError as error:
        raise KeyFormatError("not an ML-DSA-65 public key of 1,952 bytes") from error


def private_to_pem(key: MLDSA65PrivateKey) -> bytes:
    """PKCS #8, seed form, unencrypted."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def private_from_pem(pem: bytes) -> MLDSA65PrivateKey:
    """Inverse of `private_to_pem`."""
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFormatError("not an ML-DSA-65 private key in PEM form") from error
    if not isinstance(key, MLDSA65PrivateKey):
        raise KeyFormatError("the PEM file holds a key of another kind than ML-DSA-65")
    return key


def public_to_pem(key: MLDSA65PublicKey) -> bytes:
    """SubjectPublicKeyInfo: the form of `trust/mldsa65.pem`."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def public_from_pem(pem: bytes) -> MLDSA65PublicKey:
    """Inverse of `public_to_pem`."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyFormatError("not an ML-DSA-65 public key in PEM form") from error
    if not isinstance(key, MLDSA65PublicKey):
        raise KeyFormatError("the PEM file holds a key of another kind than ML-DSA-65")
    return key


def fingerprint(key: MLDSA65PublicKey) -> str:
    """`SHA256:` and the hex digest of the raw public key."""
    return "SHA256:" + sha256(key.public_bytes_raw()).hexdigest()
