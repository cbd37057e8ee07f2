"""Cleaning is a projection, and numbered names stay unique and clean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handover.archive.errors import UnsafePathError
from handover.archive.names import MAX_COMPONENT_BYTES, UniquePaths, check_path, clean_name, clean_path

ODD = st.text(st.one_of(st.characters(), st.sampled_from("./ \\:aé\u0301\u202e CON")), min_size=1, max_size=300)


@given(ODD)
def test_cleaning_a_clean_path_changes_nothing(original: str) -> None:
    try:
        path = clean_path(original)
    except UnsafePathError:
        return
    assert clean_path(path) == path
    assert all(len(part.encode()) <= MAX_COMPONENT_BYTES for part in path.split("/"))
    check_path(f"files/{path}") if len(path.encode()) < 1000 else None


@given(st.integers(1, 9), ODD.filter(lambda name: "/" not in name and name not in (".", "..")))
def test_a_name_in_a_clean_folder_becomes_what_the_whole_path_becomes(depth: int, name: str) -> None:
    folder = "/".join(["files", *["长" * 40] * depth])
    try:
        path = clean_path(f"{folder}/{name}")
    except UnsafePathError:
        with pytest.raises(UnsafePathError):
            clean_name(folder, name)
    else:
        assert path == f"{folder}/{clean_name(folder, name)}"


@pytest.mark.parametrize(
    ("original", "clean"),
    [
        ("a/./b//c", "a/b/c"),
        ("con.txt", "_con.txt"),
        ("COM1", "_COM1"),
        ("AUX .x", "_AUX .x"),
        ("name. ", "name_"),
        ('q"u<e>s:t?.csv', "q_u_e_s_t_.csv"),
        ("e\u0301.csv", "é.csv"),
        ("gpj.\u202eexe", "gpj._exe"),
        ("长" * 100 + ".xlsx", "长" * 64 + ".xlsx"),
        ("nul\udc80", "nul_"),
    ],
)
def test_original_becomes_clean(original: str, clean: str) -> None:
    assert clean_path(original) == clean


@pytest.mark.parametrize("original", ["/a", "\\\\server\\x", "C:\\x", "c:/x", "..", "a/../b", "", ".", "/", "a/" * 600])
def test_paths_that_leave_their_folder_are_refused(original: str) -> None:
    with pytest.raises(UnsafePathError):
        clean_path(original)


@given(st.lists(st.sampled_from(["a.csv", "A.csv", "a", "a/b", "A (2).csv", ".x", "b/.x", "ß", "SS"]), max_size=12))
def test_numbered_names_never_meet(originals: list[str]) -> None:
    taken = UniquePaths()
    used = [taken.add_numbered(path) for path in originals]
    again = UniquePaths()
    for path in used:
        again.add(path)
        assert clean_path(path) == path


def test_a_file_is_no_folder_of_another() -> None:
    taken = UniquePaths()
    taken.add("files/a")
    with pytest.raises(UnsafePathError):
        taken.add("files/A/b")
