"""The caller's side of selection: streams a file through the parsing child."""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from handover.errors import HandoverError, Kind
from handover.masking.selection import Selection, SelectionReport
from handover.masking.selection_child import Task
from handover.sandbox import SandboxCrashError, run_isolated
from handover.sandbox.frames import FrameKind, FrameParser, pack, pack_stream

_CHILD = "handover.masking.selection_child"


class SelectionError(HandoverError):
    """A record set that was inspected before could not be read again."""

    code = "selection_failed"
    kind = Kind.UNSUPPORTED


def select_isolated(chunks: Iterable[bytes], selection: Selection, sink: Callable[[bytes], object]) -> SelectionReport:
    """Writes the kept records and fields to `sink`; returns the counts.

    Raises:
        SelectionError: the file is refused.
        SandboxError: the child did not finish.
    """
    return _run("select", chunks, selection, sink, lambda _digest: None)


def minors_isolated(chunks: Iterable[bytes], selection: Selection) -> set[str]:
    """Hex digests of the subjects who are under 14 by their resident ID."""
    found: set[str] = set()
    _run("survey", chunks, selection, lambda _data: None, lambda digest: found.add(digest.hex()))
    return found


def _run(
    what: str,
    chunks: Iterable[bytes],
    selection: Selection,
    sink: Callable[[bytes], object],
    side: Callable[[bytes], object],
) -> SelectionReport:
    parser = FrameParser()
    reports: list[SelectionReport] = []

    def take(data: bytes) -> None:
        for kind, payload in parser.feed(data):
            if kind is FrameKind.DATA:
                sink(payload)
            elif kind is FrameKind.SIDE:
                side(payload)
            elif kind is FrameKind.REFUSED:
                raise SelectionError(payload.decode())
            elif kind is FrameKind.REPORT:
                reports.append(msgspec.msgpack.decode(payload, type=SelectionReport))

    def given() -> Iterator[bytes]:
        yield pack(FrameKind.PARAMETERS, msgspec.msgpack.encode(Task(what, selection)))
        yield from pack_stream(chunks)

    run_isolated(_CHILD, stdin=given(), on_output=take)
    if not reports:
        raise SandboxCrashError("the child ended without a report")
    return reports[0]
