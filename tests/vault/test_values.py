import uuid
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tuned
from hypothesis import strategies as st

from handover.crypto.errors import SealedValueError
from handover.errors import InvalidInputError
from handover.vault import CopyBinding, KeyDestroyedError, KeyMismatchError, KeyMissingError, Vault

ROW = uuid.uuid4()
FIELD = "people.name"


@pytest.fixture
def with_keys(vault: Vault) -> Vault:
    vault.create_secret("accounts")
    vault.create_secret("case:1:metadata")
    return vault


@tuned(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_text_comes_back_as_it_was(with_keys: Vault, text: str) -> None:
    sealed = with_keys.seal_text("accounts", text, field=FIELD, row=ROW)
    assert with_keys.open_text("accounts", sealed, field=FIELD, row=ROW) == text


def test_json_comes_back_as_it_was(with_keys: Vault) -> None:
    value = {"姓名": ["张䶮", 3, None, True], "a": {"b": ""}}
    sealed = with_keys.seal_json("accounts", value, field=FIELD, row=ROW)
    assert with_keys.open_json("accounts", sealed, field=FIELD, row=ROW) == value


def test_equal_texts_seal_differently(with_keys: Vault) -> None:
    one, two = (with_keys.seal_text("accounts", "x", field=FIELD, row=ROW) for _ in range(2))
    assert one != two


@pytest.mark.parametrize(
    ("key", "field", "row"),
    [
        ("case:1:metadata", FIELD, ROW),
        ("accounts", "people.email", ROW),
        ("accounts", FIELD, uuid.uuid4()),
    ],
)
def test_a_value_moved_to_another_place_does_not_open(with_keys: Vault, key: str, field: str, row: uuid.UUID) -> None:
    sealed = with_keys.seal_text("accounts", "secret", field=FIELD, row=ROW)
    with pytest.raises(SealedValueError):
        with_keys.open_text(key, sealed, field=field, row=row)


def test_an_altered_value_does_not_open(with_keys: Vault) -> None:
    sealed = with_keys.seal_text("accounts", "secret", field=FIELD, row=ROW)
    for position in range(len(sealed)):
        altered = bytearray(sealed)
        altered[position] ^= 1
        with pytest.raises(SealedValueError):
            with_keys.open_text("accounts", bytes(altered), field=FIELD, row=ROW)


def test_half_a_surrogate_pair_is_refused(with_keys: Vault) -> None:
    with pytest.raises(InvalidInputError):
        with_keys.seal_text("accounts", "\ud800", field=FIELD, row=ROW)


def test_digests_match_only_for_the_same_key_kind_and_value(with_keys: Vault) -> None:
    wanted = with_keys.digest("accounts", "email", "a@example.com")
    assert with_keys.digest("accounts", "email", "a@example.com") == wanted
    others = {
        with_keys.digest("case:1:metadata", "email", "a@example.com"),
        with_keys.digest("accounts", "mobile", "a@example.com"),
        with_keys.digest("accounts", "email", "b@example.com"),
    }
    assert len(others) == 3
    assert wanted not in others


def test_creating_a_key_twice_keeps_the_first(with_keys: Vault) -> None:
    before = with_keys.secret("accounts")
    with_keys.create_secret("accounts")
    assert with_keys.secret("accounts") == before


def test_a_copy_key_is_kept_for_its_copy_and_refused_for_another(
    vault: Vault, make_copy: Callable[[str], CopyBinding]
) -> None:
    bound = make_copy("copy:1")
    recipient = vault.keyring.entry("copy:1").recipient
    assert vault.create_copy("copy:1", bound) == recipient
    with pytest.raises(KeyMismatchError):
        make_copy("copy:1")


def test_an_identity_is_not_handed_out_as_a_secret(vault: Vault, make_copy: Callable[[str], CopyBinding]) -> None:
    make_copy("copy:1")
    with pytest.raises(KeyMismatchError):
        vault.secret("copy:1")


def test_a_destroyed_key_opens_nothing_and_its_id_is_not_used_again(with_keys: Vault) -> None:
    sealed = with_keys.seal_text("accounts", "secret", field=FIELD, row=ROW)
    with_keys.destroy(["accounts"])
    assert not with_keys.has("accounts")
    with pytest.raises(KeyDestroyedError):
        with_keys.open_text("accounts", sealed, field=FIELD, row=ROW)
    with pytest.raises(KeyDestroyedError):
        with_keys.create_secret("accounts")


def test_a_key_that_never_was_is_an_error_of_its_own(with_keys: Vault) -> None:
    with pytest.raises(KeyMissingError):
        with_keys.secret("nothing")
    with pytest.raises(KeyMissingError):
        with_keys.destroy(["accounts", "nothing"])
    assert with_keys.has("accounts")
