"""How a child gets a file: piece by piece through its stdin, or, when it is a file of this machine, open for reading.

A child that reads a file itself saves two copies of every byte and a second process that makes them. It gets that one descriptor and
nothing of the file's name or folder.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from handover.sandbox.frames import FrameKind, pack, pack_stream

_CHUNK = 1 << 20


class LocalFile:
    """A `Source` that a child reads itself."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk


#: Opens the plaintext anew, each time that it is called.
Source = Callable[[], Iterable[bytes]]


class Stream(NamedTuple):
    """A source while a child runs."""

    #: The frames that are it on the child's stdin, each time from its start.
    frames: Callable[[], Iterable[bytes]]
    #: For `run_isolated`.
    descriptors: tuple[int, ...] = ()


@contextmanager
def stream_of(source: Source) -> Iterator[Stream]:
    """What `read_stream` reads in the child, as often as `frames` was sent."""
    if not isinstance(source, LocalFile):
        yield Stream(lambda: pack_stream(source()))
        return
    descriptor = os.open(source.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield Stream(lambda: (pack(FrameKind.FILE, b"%d" % descriptor),), (descriptor,))
    finally:
        os.close(descriptor)
