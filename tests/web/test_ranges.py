"""One byte range of one version of a file (RFC 9110 §14)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handover.web.ranges import RangeError, Span, span_of

TAG = '"abc"'


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, Span(0, 100, False)),
        ("bytes=0-0", Span(0, 1, True)),
        ("bytes=10-", Span(10, 90, True)),
        ("bytes=-10", Span(90, 10, True)),
        ("bytes=-1000", Span(0, 100, True)),
        ("bytes=90-1000", Span(90, 10, True)),
        ("bytes=0-1,5-6", Span(0, 100, False)),
        ("bytes=" + ",".join(["0-1"] * 500), Span(0, 100, False)),
        ("items=0-1", Span(0, 100, False)),
        ("bytes=-", Span(0, 100, False)),
        ("bytes=a-b", Span(0, 100, False)),
        ("bytes=" + "9" * 40 + "-", Span(0, 100, False)),
    ],
)
def test_what_is_sent(header: str | None, expected: Span) -> None:
    assert span_of(header, None, size=100, etag=TAG) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=5-4"])
def test_a_range_outside_the_file_is_416(header: str) -> None:
    with pytest.raises(RangeError):
        span_of(header, None, size=100, etag=TAG)


def test_another_version_in_if_range_gets_the_whole_file() -> None:
    assert span_of("bytes=5-", TAG, size=100, etag=TAG).partial
    for other in ('"other"', 'W/"abc"', "Mon, 23 Nov 2026 00:00:00 GMT"):
        assert span_of("bytes=5-", other, size=100, etag=TAG) == Span(0, 100, partial=False)


@given(size=st.integers(0, 10**12), header=st.from_regex(r"\Abytes=\d{0,16}-\d{0,16}\Z"))
def test_a_span_never_leaves_the_file(size: int, header: str) -> None:
    try:
        span = span_of(header, None, size=size, etag=TAG)
    except RangeError:
        return
    assert 0 <= span.start <= size
    assert 0 <= span.length <= size - span.start
