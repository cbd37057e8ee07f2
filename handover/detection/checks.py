"""Check digits of the standards that identifiers follow. Each takes a candidate without separators."""

import datetime as dt
from functools import lru_cache
from operator import mul

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK = "10X98765432"
#: The sum is taken over character codes, which are 48 above their digits.
_ID_OFFSET = 48 * sum(_ID_WEIGHTS)
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_LUHN_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)

#: Earliest birth year that a living customer's document can carry.
_FIRST_YEAR = 1900


def resident_id(number: str) -> bool:
    """GB 11643: 17 digits and a check by ISO 7064 mod 11-2, with a real birth date."""
    total = sum(map(mul, number[:17].encode(), _ID_WEIGHTS)) - _ID_OFFSET
    return _ID_CHECK[total % 11] == number[17].upper() and birth_date(number[6:14]) is not None


def birth_date(eight_digits: str) -> dt.date | None:
    """YYYYMMDD as a date; None when it is none, or lies before 1900 or in the future."""
    return _birth_date(eight_digits)


@lru_cache(maxsize=65_536)
def _birth_date(eight_digits: str) -> dt.date | None:
    try:
        date = dt.date(int(eight_digits[:4]), int(eight_digits[4:6]), int(eight_digits[6:8]))
    except ValueError:
        return None
    return date if date.year >= _FIRST_YEAR and date <= dt.datetime.now(dt.UTC).date() else None


def luhn(number: str) -> bool:
    """ISO/IEC 7812-1 Annex B."""
    total = 0
    for position, digit in enumerate(reversed(number)):
        total += _LUHN_DOUBLED[int(digit)] if position % 2 else int(digit)
    return total % 10 == 0


def uscc(code: str) -> bool:
    """GB 32100: 17 characters and a check, weights 3^i mod 31."""
    try:
        values = [_USCC_ALPHABET.index(character) for character in code]
    except ValueError:
        return False
    total = sum(value * pow(3, position, 31) for position, value in enumerate(values[:17]))
    return (31 - total % 31) % 31 == values[17]


_VIN_VALUES = dict(zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", "012345678912345678123457923456789", strict=True))
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def vin(number: str) -> bool:
    """GB 16735, ISO 3779: the ninth character is the weighted sum of all modulo 11, X for ten."""
    total = sum(int(_VIN_VALUES[character]) * weight for character, weight in zip(number, _VIN_WEIGHTS, strict=True))
    return "0123456789X"[total % 11] == number[8]


def iban(number: str) -> bool:
    """ISO 13616: mod 97-10."""
    moved = number[4:] + number[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1
