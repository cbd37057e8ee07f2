"""The inspecting child: parameters and the file twice on stdin, spans, digests and the report as frames on stdout.

Runs under `handover.sandbox`; the identifiers that it reads die with it.
"""

import sys
import time
from typing import TYPE_CHECKING

import msgspec

from handover.detection.inspection import inspect
from handover.detection.parts import PartState
from handover.detection.report import SpanRow
from handover.formats import FormatRefusedError, Reading, open_records, open_table
from handover.sandbox.frames import FrameKind, pack, read_frame, read_stream

if TYPE_CHECKING:
    from handover.formats.flat import FlatTable

_PROGRESS_SECONDS = 0.5
_SPANS_PER_FRAME = 2000


class Parameters(msgspec.Struct, kw_only=True):
    """The first frame."""

    name: str
    key: bytes
    subject_field: str | None = None
    #: Number of the part and of how many; the whole is (0, 1).
    part: tuple[int, int] = (0, 1)
    spans: bool = False
    subjects: bool = False


class ProgressLines:
    """Progress as JSON lines on stderr, twice a second at most."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, stage: str, records: int) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _PROGRESS_SECONDS
            line = msgspec.json.encode({"progress": {"stage": stage, "records": records}})
            sys.stderr.buffer.write(line + b"\n")
            sys.stderr.buffer.flush()


def main() -> None:
    """Inspects one file."""
    incoming, outgoing = sys.stdin.buffer, sys.stdout.buffer
    parameters = msgspec.json.decode(read_frame(incoming)[1], type=Parameters)
    pending: list[bytes] = []

    def on_span(row: SpanRow) -> None:
        pending.append(msgspec.json.encode(row))
        if len(pending) >= _SPANS_PER_FRAME:
            outgoing.write(pack(FrameKind.SIDE, b"\n".join(pending)))
            pending.clear()

    def opened() -> "Reading | FlatTable":
        # Where each hit is to be told, it is looked for where it can be.
        opening = open_records if parameters.spans else open_table
        return opening(read_stream(incoming), parameters.name, tolerant=True)

    try:
        inspection, reading = inspect(
            opened(),
            opened,
            key=parameters.key,
            subject_field=parameters.subject_field,
            on_span=on_span if parameters.spans else None,
            on_records=ProgressLines(),
            part=parameters.part,
        )
    except FormatRefusedError as error:
        outgoing.write(pack(FrameKind.REFUSED, msgspec.json.encode(error.reason)))
        return
    report = inspection.report(reading)
    if parameters.part != (0, 1):
        outgoing.write(pack(FrameKind.REPORT, msgspec.msgpack.encode(PartState.of(inspection, report))))
        return
    if pending:
        outgoing.write(pack(FrameKind.SIDE, b"\n".join(pending)))
    if parameters.subjects and (subjects := inspection.subjects()) is not None:
        outgoing.write(pack(FrameKind.DATA, b"".join(subjects)))
    outgoing.write(pack(FrameKind.REPORT, msgspec.json.encode(report)))
