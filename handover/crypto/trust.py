"""The public halves that a verifier pins, read from a trust directory.

`allowed_signers` (Ed25519), `mldsa65.pem`, `log.vkey` and `ca.pem` are each optional; what is there is demanded of what is
verified. Where the directory came from is the verifier's judgement: nothing in a package can vouch for it.
"""

from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey

from handover.crypto import mldsa
from handover.crypto.errors import KeyFormatError
from handover.crypto.note import NoteKey, parse_vkeys
from handover.crypto.signers import Signer, parse_allowed_signers

ALLOWED_SIGNERS = "allowed_signers"
MLDSA_PEM = "mldsa65.pem"
LOG_VKEY = "log.vkey"
CA_PEM = "ca.pem"
#: A trust file is a few kilobytes; more is the wrong file.
_MAX_FILE = 1 << 20


class Trust(msgspec.Struct, frozen=True):
    """Pinned keys; an empty field pins nothing of that kind."""

    signers: tuple[Signer, ...] = ()
    mldsa65: MLDSA65PublicKey | None = None
    log_keys: tuple[NoteKey, ...] = ()
    ca_pem: bytes | None = None


def load_trust(folder: Path) -> Trust:
    """Reads a trust directory.

    Raises:
        KeyFormatError: it is no folder, holds none of the files, or one is malformed.
    """
    found = {name: _read(folder / name) for name in (ALLOWED_SIGNERS, MLDSA_PEM, LOG_VKEY, CA_PEM)}
    if not any(found.values()):
        raise KeyFormatError(f"{folder}: no trust directory; it holds {', '.join(found)}")
    signers, pem, vkeys = found[ALLOWED_SIGNERS], found[MLDSA_PEM], found[LOG_VKEY]
    return Trust(
        tuple(parse_allowed_signers(_text(signers, ALLOWED_SIGNERS))) if signers else (),
        mldsa.public_from_pem(pem) if pem else None,
        tuple(parse_vkeys(_text(vkeys, LOG_VKEY))) if vkeys else (),
        found[CA_PEM],
    )


def _read(path: Path) -> bytes | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeyFormatError(f"{path}: can't be read: {error.strerror}") from error
    if len(data) > _MAX_FILE:
        raise KeyFormatError(f"{path}: too large for a trust file")
    return data


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise KeyFormatError(f"{name} is not UTF-8 text") from error
