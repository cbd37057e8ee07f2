"""The isolated side of selection: parameters in the first frame, the file in data frames, the result on stdout."""

import sys
from datetime import UTC, datetime

import msgspec

from handover.formats import FormatRefusedError
from handover.masking.selection import Selection, SelectionReport, select, survey_minors
from handover.sandbox.frames import FrameKind, pack, read_frame, read_stream


class Task(msgspec.Struct, frozen=True):
    """What the child is asked: to write the selection, or to say which subjects are minors."""

    what: str
    selection: Selection


def main() -> None:
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    _, parameters = read_frame(source)
    task = msgspec.msgpack.decode(parameters, type=Task)
    report = SelectionReport()
    try:
        if task.what == "survey":
            for digest in survey_minors(read_stream(source), task.selection, today=datetime.now(UTC).date()):
                sink.write(pack(FrameKind.SIDE, digest))
        else:
            for data in select(read_stream(source), task.selection, report):
                if data:
                    sink.write(pack(FrameKind.DATA, data))
    except FormatRefusedError as error:
        sink.write(pack(FrameKind.REFUSED, error.message.encode()))
        sink.flush()
        return
    sink.write(pack(FrameKind.REPORT, msgspec.msgpack.encode(report)))
    sink.flush()
