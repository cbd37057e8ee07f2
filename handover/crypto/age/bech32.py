"""Bech32 (BIP 173) without its length limit, as the age specification uses it."""

from handover.crypto.errors import KeyFormatError

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_SIZE = 6


def encode(prefix: str, data: bytes) -> str:
    """Lower-case Bech32 of `data` under a lower-case prefix."""
    values = _regroup(data, 8, 5, pad=True)
    expanded = [*_expand(prefix), *values]
    checksum = _polymod([*expanded, *([0] * _CHECKSUM_SIZE)]) ^ 1
    values += [(checksum >> 5 * (_CHECKSUM_SIZE - 1 - i)) & 31 for i in range(_CHECKSUM_SIZE)]
    return f"{prefix}1" + "".join(_ALPHABET[value] for value in values)


def decode(text: str) -> tuple[str, bytes]:
    """Prefix and data; the text is all upper or all lower case, the prefix comes back in the same case.

    Raises:
        KeyFormatError: malformed. The text itself is not repeated: it may be a secret.
    """
    lowered = text.lower()
    prefix, separator, encoded = lowered.rpartition("1")
    if text not in (lowered, text.upper()) or not separator or not prefix or not text.isascii():
        raise KeyFormatError("a key is not Bech32: mixed case, or no separator")
    try:
        values = [_VALUES[character] for character in encoded]
    except KeyError as error:
        raise KeyFormatError("a key has a character that Bech32 does not use") from error
    if len(values) < _CHECKSUM_SIZE or _polymod([*_expand(prefix), *values]) != 1:
        raise KeyFormatError("the checksum of a key is wrong: it was mistyped or cut short")
    data = bytes(_regroup(values[:-_CHECKSUM_SIZE], 5, 8, pad=False))
    return (prefix if text == lowered else prefix.upper()), data


def _expand(prefix: str) -> list[int]:
    return [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate(_GENERATORS):
            if top >> i & 1:
                check ^= generator
    return check


def _regroup(values: bytes | list[int], source: int, target: int, *, pad: bool) -> list[int]:
    accumulator = bits = 0
    result = []
    for value in values:
        accumulator = accumulator << source | value
        bits += source
        while bits >= target:
            bits -= target
            result.append(accumulator >> bits & (1 << target) - 1)
        accumulator &= (1 << bits) - 1
    if pad and bits:
        result.append(accumulator << target - bits & (1 << target) - 1)
    elif not pad and (bits >= source or accumulator):
        raise KeyFormatError("a key has padding that is not canonical")
    return result
