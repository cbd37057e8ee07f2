"""Pseudonyms that keep the form of what they stand for, and can't be a real value: for systems that check the form.

Each lies in a range that nobody is given: mainland mobile numbers begin with 13 to 19, no area code is 000, E.164 assigns
no country code 999, `.invalid` is no domain (RFC 2606), no province has the code 00 (GB/T 2260), no issuer has 0000
(ISO/IEC 7812). Telephone numbers and cards have few digits: of a million persons some 250 pairs share a mobile surrogate.
Where records of one person must not be mixed with another's, `pseudonymise` is the treatment.
"""

from collections.abc import Callable


def surrogate(kind: str, digest: bytes) -> str:
    """The value of a kind that stands for a keyed digest (of 32 bytes); empty for kinds without a form of their own."""
    make = _FORMS.get(kind)
    return make(int.from_bytes(digest[:16], "big")) if make else ""


def _base32(number: int, length: int) -> str:
    return "".join("abcdefghijklmnopqrstuvwxyz234567"[number >> 5 * place & 31] for place in range(length))


_FORMS: dict[str, Callable[[int], str]] = {
    "mobile": lambda n: f"1{n % 2}{n // 2 % 10**9:09}",
    "landline": lambda n: f"000-{n % 10**8:08}",
    "phone": lambda n: f"+999{n % 10**12:012}",
    "email": lambda n: f"{_base32(n, 25)}@example.invalid",
    "resident_id": lambda n: f"00{n % 10**16:016}",
    "bank_card": lambda n: f"0000{n % 10**12:012}",
}
