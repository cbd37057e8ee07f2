"""The safety number: what two people read to each other so that a package is made for the right key.

Computed offline from the recipient string, the case and the person, as docs/package-format.md defines it.
"""

from hashlib import sha256

import msgspec

from handover.crypto.errors import KeyFormatError

_DOMAIN = "handover-safety-v1"
_GROUPS = 6
_GROUP_BYTES = 5


class SafetyNumber(msgspec.Struct, frozen=True):
    """Six groups of five digits to compare, and the full hash (hex) to record."""

    groups: tuple[str, ...]
    sha256: str

    @property
    def text(self) -> str:
        """The groups as they are printed."""
        return " ".join(self.groups)


def safety_number(recipient: str, case: str, person: str) -> SafetyNumber:
    """The number for this key in this case for this person.

    Raises:
        KeyFormatError: a part is empty or holds a line break, which would make two inputs look alike.
    """
    for name, value in (("recipient", recipient), ("case", case), ("person", person)):
        if not value or "\n" in value or "\r" in value or value != value.strip():
            raise KeyFormatError(f"{name} is empty, has a line break, or begins or ends with a space")
    digest = sha256(f"{_DOMAIN}\n{recipient}\n{case}\n{person}".encode()).digest()
    parts = (digest[i * _GROUP_BYTES : (i + 1) * _GROUP_BYTES] for i in range(_GROUPS))
    return SafetyNumber(tuple(f"{int.from_bytes(part, 'big') % 100_000:05d}" for part in parts), digest.hex())
