"""Passwords are long rather than odd, and kept as argon2id only."""

import unicodedata

import pytest
from argon2 import extract_parameters
from argon2.exceptions import VerifyMismatchError
from argon2.low_level import Type

from handover.accounts.passwords import Passwords
from handover.errors import InvalidInputError


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords()


def test_the_hash_is_argon2id_of_current_strength(passwords: Passwords) -> None:
    found = extract_parameters(passwords.hash("correct horse battery"))
    assert found.type is Type.ID
    assert found.memory_cost >= 19 * 1024
    assert found.time_cost >= 2


@pytest.mark.parametrize(
    "password", ["short", "eleven-char", "password1234", "PASSWORD1234", "aaaaaaaaaaaaaaa", "x" * 300]
)
def test_short_common_and_endless_passwords_are_refused(passwords: Passwords, password: str) -> None:
    with pytest.raises(InvalidInputError):
        passwords.check_new(password, minimum=12)


def test_a_nul_is_refused(passwords: Passwords) -> None:
    with pytest.raises(InvalidInputError, match="NUL"):
        passwords.check_new("correct horse\x00 battery", minimum=12)


def test_every_character_matters_and_both_ways_to_write_one_are_the_same(passwords: Passwords) -> None:
    long = "ä correct horse battery staple " + "0123456789" * 6
    stored = passwords.hash(passwords.check_new(long, minimum=12))
    assert passwords.matches(stored, unicodedata.normalize("NFD", long))
    assert not passwords.matches(stored, long[:-1])
    assert not passwords.matches(stored, long[:72])


def test_nobody_has_the_password_of_an_account_without_one(passwords: Passwords) -> None:
    assert not passwords.matches(None, "nobody has this password")


def test_an_account_without_a_password_costs_an_attempt_as_much_as_any_other(passwords: Passwords) -> None:
    assert extract_parameters(passwords._dummy) == extract_parameters(passwords.hash("correct horse battery"))
    with pytest.raises(VerifyMismatchError):
        passwords._hasher.verify(passwords._dummy, "nobody has this password")


def test_what_is_longer_than_any_password_never_matches(passwords: Passwords) -> None:
    longest = ("abcdefgh" * 32)[:256]
    stored = passwords.hash(passwords.check_new(longest, minimum=12))
    assert passwords.matches(stored, longest)
    assert not passwords.matches(stored, longest + "tail")
