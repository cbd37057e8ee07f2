"""`allowed_signers` files (ssh-keygen(1), ALLOWED SIGNERS): who may sign what.

Only Ed25519 keys and the option `namespaces` are read; any other option is refused, because ignoring a restriction
(`valid-before`, `cert-authority`) would widen what the file's author allowed.
"""

import re
from collections.abc import Iterable, Sequence

import msgspec

from handover.crypto import sshsig
from handover.crypto.errors import KeyFormatError

_LINE = re.compile(
    r'(?P<principal>[^\s"#,]+(?:,[^\s",]+)*)[ \t]+(?:namespaces="(?P<names>[^"\s]+)"[ \t]+)?(?P<key>ssh-ed25519[ \t].+)'
)


class Signer(msgspec.Struct, frozen=True):
    """One line: who, for which namespaces (none means any), with which raw Ed25519 key."""

    principal: str
    public_key: bytes
    namespaces: tuple[str, ...] = ()


def parse_allowed_signers(text: str) -> list[Signer]:
    """The signers of a file; empty lines and `#` comments are skipped.

    Raises:
        KeyFormatError: names the line.
    """
    signers = []
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if match is None:
            raise KeyFormatError(f"allowed_signers line {number}: expected 'NAME namespaces=\"…\" ssh-ed25519 AAAA…'")
        names = tuple(match["names"].split(",")) if match["names"] else ()
        signers.append(Signer(match["principal"], sshsig.parse_public_line(match["key"]), names))
    return signers


def format_allowed_signers(signers: Iterable[Signer]) -> str:
    """The file for `ssh-keygen -Y verify -f`."""
    return "".join(_format(signer) for signer in signers)


def keys_for(signers: Sequence[Signer], namespace: str) -> list[bytes]:
    """Raw public keys of those who may sign in this namespace."""
    return [signer.public_key for signer in signers if not signer.namespaces or namespace in signer.namespaces]


def _format(signer: Signer) -> str:
    option = f'namespaces="{",".join(signer.namespaces)}" ' if signer.namespaces else ""
    return f"{signer.principal} {option}{sshsig.public_line(signer.public_key)}\n"
