"""Ed25519 keys in OpenSSH's forms and SSHSIG signatures (OpenSSH PROTOCOL.sshsig), as `ssh-keygen -Y` makes them.

Verifying always names the keys that may have signed: a signature that merely holds for the key inside it
says nothing. Only Ed25519 with SHA-512 and the one armor that ssh-keygen writes are accepted.
"""

import base64
import binascii
import hashlib
from collections.abc import Collection

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_ssh_private_key,
)

from handover.crypto.errors import KeyFormatError, SignatureError

_MAGIC = b"SSHSIG"
_KEY_TYPE = b"ssh-ed25519"
_HASH = b"sha512"
_BEGIN = "-----BEGIN SSH SIGNATURE-----"
_END = "-----END SSH SIGNATURE-----"
#: The column at which ssh-keygen wraps; one form only, so that a signature file is not malleable.
_COLUMNS = 70


def generate() -> Ed25519PrivateKey:
    """A new signing key."""
    return Ed25519PrivateKey.generate()


def sign(key: Ed25519PrivateKey, namespace: str, message: bytes) -> bytes:
    """An armored SSHSIG file over `message`, ending in a newline."""
    signature = key.sign(_signed_data(namespace, message))
    return _encode(key.public_key().public_bytes_raw(), namespace, signature)


def verify(signature: bytes, namespace: str, message: bytes, allowed: Collection[bytes]) -> bytes:
    """The raw public key, one of `allowed` (32 bytes each), that signed `message` in this namespace.

    Raises:
        SignatureError: malformed, by another key, for another namespace, or not holding.
    """
    public, signed_namespace, raw = _decode(signature)
    if signed_namespace != namespace:
        raise SignatureError(f"the signature is for {signed_namespace!r}, not for {namespace!r}")
    if public not in allowed:
        raise SignatureError(f"the signature for {namespace} is by a key that is not expected: {fingerprint(public)}")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(raw, _signed_data(namespace, message))
    except (InvalidSignature, ValueError) as error:
        raise SignatureError(f"the signature for {namespace} does not hold: the signed bytes were altered") from error
    return public


def signer_of(signature: bytes) -> bytes:
    """The raw public key that a signature names. It proves nothing: verify against a pinned key."""
    return _decode(signature)[0]


def public_line(public: bytes, comment: str = "") -> str:
    """`ssh-ed25519 AAAA… comment`, without a newline."""
    blob = base64.b64encode(_string(_KEY_TYPE) + _string(public)).decode()
    return f"ssh-ed25519 {blob} {comment}".rstrip()


def parse_public_line(line: str) -> bytes:
    """The raw key of a public line; the comment is ignored.

    Raises:
        KeyFormatError: not an Ed25519 public key in OpenSSH form.
    """
    parts = line.split()
    try:
        _kind, rest = _take(base64.b64decode("".join(parts[1:2]), validate=True))
        public, _rest = _take(rest)
    except (ValueError, binascii.Error) as error:
        raise KeyFormatError("not an Ed25519 public key of the form 'ssh-ed25519 AAAA…'") from error
    if len(public) != 32 or parts[:2] != public_line(public).split():
        raise KeyFormatError("not an Ed25519 public key of the form 'ssh-ed25519 AAAA…'")
    return public


def private_to_openssh(key: Ed25519PrivateKey) -> bytes:
    """Unencrypted OpenSSH private key file."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


def private_from_openssh(data: bytes, password: bytes | None = None) -> Ed25519PrivateKey:
    """Inverse of `private_to_openssh`; opens password-protected files too where bcrypt is installed."""
    try:
        key = load_ssh_private_key(data, password)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFormatError("not an OpenSSH private key that can be read here") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFormatError("the OpenSSH private key is not Ed25519")
    return key


def fingerprint(public: bytes) -> str:
    """`SHA256:…` as `ssh-keygen -l` prints it."""
    digest = hashlib.sha256(_string(_KEY_TYPE) + _string(public)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _signed_data(namespace: str, message: bytes) -> bytes:
    digest = hashlib.sha512(message).digest()
    return _MAGIC + _string(namespace.encode()) + _string(b"") + _string(_HASH) + _string(digest)


def _encode(public: bytes, namespace: str, signature: bytes) -> bytes:
    blob = (
        _MAGIC
        + (1).to_bytes(4, "big")
        + _string(_string(_KEY_TYPE) + _string(public))
        + _string(namespace.encode())
        + _string(b"")
        + _string(_HASH)
        + _string(_string(_KEY_TYPE) + _string(signature))
    )
    text = base64.b64encode(blob).decode()
    lines = [text[i : i + _COLUMNS] for i in range(0, len(text), _COLUMNS)]
    return "\n".join([_BEGIN, *lines, _END, ""]).encode()


def _decode(armored: bytes) -> tuple[bytes, str, bytes]:
    """Public key, namespace and raw signature; refuses every file that `_encode` would not have written."""
    try:
        lines = armored.decode("ascii").split("\n")
        blob = base64.b64decode("".join(lines[1:-2]), validate=True)
        key_blob, rest = _take(blob[10:])
        namespace, rest = _take(rest)
        _reserved, rest = _take(rest)
        _hash, rest = _take(rest)
        signature_blob, _rest = _take(rest)
        public = _take(_take(key_blob)[1])[0]
        signature = _take(_take(signature_blob)[1])[0]
        text = namespace.decode()
    except (ValueError, binascii.Error) as error:
        raise SignatureError("not an SSH signature file") from error
    if len(public) != 32 or len(signature) != 64 or _encode(public, text, signature) != armored:
        raise SignatureError(
            "not an SSH signature file of the accepted form (Ed25519, SHA-512, as ssh-keygen writes it)"
        )
    return public, text, signature


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _take(data: bytes) -> tuple[bytes, bytes]:
    size = int.from_bytes(data[:4], "big")
    if len(data) < 4 + size:
        raise ValueError("cut short")
    return data[4 : 4 + size], data[4 + size :]
