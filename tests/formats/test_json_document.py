"""JSON documents: every shape is read and rebuilt with its order, types and what surrounds its records."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handover.formats import FormatRefusedError
from tests.formats.rewriting import read, rewrite

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "姓名", ""]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(DOCUMENTS, st.integers(1, 50))
def test_any_document_comes_back_equal_however_it_is_cut(document: object, size: int) -> None:
    data = json.dumps(document, ensure_ascii=False, indent=1).encode()
    read(data, "a.json", size)
    assert json.loads(rewrite(data, "a.json")) == document


def test_array_gives_a_record_for_each_element_and_drops_those_not_kept() -> None:
    data = '[{"姓名":"张三","n":12345678901234567890123},\n {"姓名":"李四","x":[1,{"y":"文"}]}]'.encode()
    assert read(data, "a.json")[1] == {
        "姓名": ["张三", "李四"], "n": ["12345678901234567890123"], "x[]": ["1"], "x[].y": ["文"]
    }  # fmt: skip
    out = rewrite(data, "a.json", [True, False]).decode()
    assert json.loads(out) == [{"姓名": "张三", "n": 12345678901234567890123}]
    assert "李四" not in out


def test_array_within_an_object_gives_the_records_and_the_rest_is_the_last() -> None:
    data = b'{"meta":{"by":"Wang"},"customers":[{"n":"a"},{"n":"b"}],"count":2}'
    assert read(data, "a.json")[1] == {"customers[].n": ["a", "b"], "meta.by": ["Wang"], "count": ["2"]}
    out = rewrite(data, "a.json", [False, True, True], {"Wang": "W", "b": "c"})
    assert out == b'{"meta":{"by":"W"},"customers":[{"n":"c"}],"count":2}\n'
    assert rewrite(data, "a.json", [True, True, False]) == b'{"customers":[{"n":"a"},{"n":"b"}]}\n'


def test_replaced_value_is_gone_and_an_emptied_one_is_null() -> None:
    out = rewrite(b'[{"a":"13812345678","b":13812345678}]', "a.json", replace={"13812345678": ""})
    assert json.loads(out) == [{"a": None, "b": None}]


@pytest.mark.parametrize(
    "text",
    [
        '[{"a":1,"a":2}]',
        '{"a":{"b":1,"b":2}}',
        "[1,2",
        "[1 2]",
        "[1]x",
        '{"a":NaN}',
        "[" * 100_000,
        "[" * 40 + "]" * 40,
    ],
)
def test_document_that_readers_could_read_differently_is_refused(text: str) -> None:
    with pytest.raises(FormatRefusedError):
        read(text.encode(), "a.json")
