"""Cleaning is a projection, and numbered names stay unique and clean."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handover.archive.errors import UnsafePathError
from handover.archive.names import (
    MAX_COMPONENT_BYTES,
    UniquePaths,
    check_path,
    check_paths,
    clean_name,
    clean_names,
    clean_path,
)

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


NAMES = st.lists(
    st.one_of(
        st.from_regex("[0-9A-Za-z_. -]{1,12}", fullmatch=True),
        st.sampled_from(["con", "LPT1.txt", "a" * 152, "a" * 153, "é", "ends.", "a\0b"]),
        ODD.map(lambda name: name.replace("/", "_")),
    ).filter(lambda name: name not in (".", "..")),
    min_size=1,
    max_size=4,
)


@given(NAMES, st.sampled_from(["files", "files/" + "long/" * 170 + "end", "files/" + "长" * 280]))
def test_names_cleaned_together_are_those_cleaned_one_by_one(side: list[str], folder: str) -> None:
    assert _or_refused(lambda: list(clean_names(folder, side))) == _or_refused(
        lambda: [clean_name(folder, name) for name in side]
    )


@given(NAMES.map(lambda parts: [f"files/{part}" for part in parts]), st.text("/. \0a", max_size=3))
def test_paths_checked_together_are_refused_when_one_of_them_is(paths: list[str], end: str) -> None:
    paths[-1] += end
    one_by_one = _or_refused(lambda: _each(check_path, paths))
    assert _or_refused(lambda: check_paths(paths)) == one_by_one


PATHS = st.lists(st.sampled_from(["a", "A", "a/b", "a/B", "c/a", "c", "d/e/f", "D/E", "ß", "SS", "é/x"]), max_size=4)


@given(PATHS, PATHS)
def test_paths_taken_together_meet_when_they_do_one_by_one(before: list[str], paths: list[str]) -> None:
    one_by_one, together = UniquePaths(), UniquePaths()
    for some in (before, paths):
        refused = _or_refused(lambda some=some: _each(one_by_one.add, some))  # type: ignore[misc]
        assert _or_refused(lambda some=some: together.add_all(some)) == refused  # type: ignore[misc]
        if refused:
            return


@given(st.lists(st.sampled_from(["a.csv", "A.csv", "a", "A (2).csv", ".x", "ß", "SS"]), max_size=6))
def test_names_taken_together_get_the_numbers_that_they_get_one_by_one(side: list[str]) -> None:
    one_by_one, together = UniquePaths(), UniquePaths()
    for folder in ("files", "files/a", "FILES"):
        assert together.add_names(folder, side) == [one_by_one.add_name(folder, name) for name in side]


def _each(work: Callable[[str], None], paths: list[str]) -> None:
    for path in paths:
        work(path)


def _or_refused(work: Callable[[], object]) -> object:
    try:
        return work()
    except UnsafePathError as error:
        return error.message


def test_a_file_is_no_folder_of_another() -> None:
    taken = UniquePaths()
    taken.add("files/a")
    with pytest.raises(UnsafePathError):
        taken.add("files/A/b")
