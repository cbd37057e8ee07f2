"""Frames survive any cutting, and a stream that breaks off is never whole."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handover.sandbox.errors import SandboxCrashError
from handover.sandbox.frames import FrameKind, FrameParser, pack, pack_stream, read_stream

frames = st.lists(st.tuples(st.sampled_from(FrameKind), st.binary(max_size=50)), max_size=8)


@given(frames, st.integers(min_value=1, max_value=20))
def test_frames_are_the_same_however_they_are_cut(given_frames: list[tuple[FrameKind, bytes]], size: int) -> None:
    wire = b"".join(pack(kind, payload) for kind, payload in given_frames)
    parser = FrameParser()
    seen = [frame for start in range(0, len(wire), size) for frame in parser.feed(wire[start : start + size])]
    assert seen == given_frames


def test_stream_without_its_end_is_refused() -> None:
    wire = b"".join(pack_stream([b"a" * 10, b"b"]))
    assert b"".join(read_stream(io.BytesIO(wire))) == b"a" * 10 + b"b"
    with pytest.raises(SandboxCrashError):
        list(read_stream(io.BytesIO(wire[:-1])))


def test_absurd_length_is_refused() -> None:
    with pytest.raises(SandboxCrashError):
        list(FrameParser().feed(b"\x02\xff\xff\xff\xff"))
