"""Records made from columns are those made one by one, on both sides of where ZIP64 begins."""

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from handover.archive.zipformat import Member, central_header, central_size, local_header
from handover.archive.zipmany import entry_ends, find_stored, records, records_size, small_header

LIMIT = 2**32 - 1
MEMBERS = st.lists(
    st.builds(
        lambda path, checksum, size: Member(path, checksum, size, size),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
        st.integers(0, LIMIT),
        st.one_of(st.integers(0, 9), st.integers(LIMIT - 2, LIMIT + 2)),
    ),
    max_size=5,
)


@given(MEMBERS, st.integers(0, 2 * LIMIT))
@example([Member("a", 1, 5, 5)], LIMIT - 36)
def test_columns_and_single_records_agree(members: list[Member], begin: int) -> None:
    names, sizes = [member.path.encode() for member in members], [member.size for member in members]
    checksums = [member.crc32 for member in members]
    ends = entry_ends([len(name) for name in names], sizes)
    assert [end - start for start, end in pairwise(ends)] == [member.total_size for member in members]
    offsets = [begin + end for end in ends[:-1]]
    one_by_one = b"".join(map(central_header, members, offsets))
    assert records(names, checksums, sizes, offsets, begin + ends[-1]) == one_by_one
    assert records_size([len(name) for name in names], sizes, ends, begin) == len(one_by_one)
    assert sum(map(central_size, members, offsets)) == len(one_by_one)
    if begin + ends[-1] < LIMIT:
        found = find_stored(one_by_one, names, sizes, begin)
        assert found is not None
        assert (list(found[0].offsets), found[0].checksums, found[1]) == (offsets, checksums, begin + ends[-1])


@given(MEMBERS)
def test_headers_of_small_entries_agree(members: list[Member]) -> None:
    for member in members:
        if member.size < LIMIT:
            assert small_header(member.path.encode(), member.crc32, member.size) == local_header(member)


@given(MEMBERS.filter(bool), st.data())
def test_records_of_other_entries_are_not_found(members: list[Member], data: st.DataObject) -> None:
    names, sizes = [member.path.encode() for member in members], [9 for _ in members]
    found = bytearray(records(names, [7] * len(names), sizes, entry_ends([*map(len, names)], sizes)[:-1], 0))
    assert find_stored(bytes(found), names, [*sizes[1:], 8], 0) is None
    assert find_stored(bytes(found[:-1]), names, sizes, 0) is None
    at = data.draw(st.integers(0, 15))
    found[at] ^= 1
    assert find_stored(bytes(found), names, sizes, 0) is None
