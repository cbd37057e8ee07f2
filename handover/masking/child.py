"""The redacting and re-scanning child. Keys come in the first frame on stdin, never in argv or environment.

Input: parameters, the selection, then two streams (the source twice; for the second scan the source and the
output). Output: the redacted bytes as data frames, and a report that says the output is whole.
"""

import ctypes
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import msgspec

from handover.detection.child import ProgressLines
from handover.formats import FormatRefusedError, Reading, open_records, open_table
from handover.masking.policy import Policy
from handover.masking.redaction import Redaction
from handover.masking.report import RedactionReport
from handover.masking.residual import residual
from handover.masking.selection import Selection
from handover.sandbox.frames import FrameKind, pack, pack_stream, read_frame, read_stream

if TYPE_CHECKING:
    from handover.formats.flat import FlatTable
    from handover.masking.flat_redaction import FlatRedaction


#: SYNC_FILE_RANGE_WRITE
_WRITE_OUT = 2


class UnwrittenError(Exception):
    """The output could not be written; with the system's number of the reason."""


class Parameters(msgspec.Struct, kw_only=True):
    """The first frame."""

    task: Literal["redact", "residual"]
    name: str
    policy: Policy
    key: bytes = b""
    #: How many records a reviewer is shown.
    samples: int = 0
    #: Number of the part and of how many.
    part: tuple[int, int] = (0, 1)
    #: The descriptor that the output goes to; without it the output goes to stdout.
    target: int | None = None
    quasi_identifiers: list[str] = msgspec.field(default_factory=list)


def main() -> None:
    """Redacts or re-scans one file."""
    incoming, outgoing = sys.stdin.buffer, sys.stdout.buffer
    parameters = msgspec.json.decode(read_frame(incoming)[1], type=Parameters)
    try:
        if parameters.task == "redact":
            report: object = _redact(parameters, incoming, outgoing)
        else:
            report = residual(
                open_table(read_stream(incoming), parameters.name),
                lambda: open_table(read_stream(incoming), parameters.name),
                policy=parameters.policy,
                quasi_identifiers=parameters.quasi_identifiers,
                on_records=ProgressLines(),
            )
    except FormatRefusedError as error:
        outgoing.write(pack(FrameKind.REFUSED, msgspec.json.encode(error.reason)))
        return
    except UnwrittenError as error:
        outgoing.write(pack(FrameKind.UNWRITTEN, b"%d" % error.args[0]))
        return
    outgoing.write(pack(FrameKind.REPORT, msgspec.json.encode(report)))


def _redact(parameters: Parameters, incoming: BinaryIO, outgoing: BinaryIO) -> RedactionReport:
    # A million references are a large frame: they come as a stream of their own.
    selection = msgspec.msgpack.decode(b"".join(read_stream(incoming)), type=Selection | None)
    redaction = _redaction(
        incoming,
        parameters.name,
        policy=parameters.policy,
        key=parameters.key,
        selection=selection,
        on_records=ProgressLines(),
        samples=parameters.samples,
        part=parameters.part,
        on_sample=lambda sample: outgoing.write(pack(FrameKind.SIDE, msgspec.json.encode(sample))),
    )
    if parameters.target is None:
        outgoing.writelines(pack_stream(redaction.output()))
    else:
        _write(redaction.output(), parameters.target)
    return redaction.report


def _write(output: Iterator[bytes], target: int) -> None:
    # Has the disk begin with what was written, so that the parent need not wait for all of it; Linux alone has this.
    begin = getattr(ctypes.CDLL(None), "sync_file_range", lambda *_: None)
    for piece in output:
        left = memoryview(piece)
        try:
            while left:
                left = left[os.write(target, left) :]
        except OSError as error:
            raise UnwrittenError(error.errno) from error
        begin(target, ctypes.c_int64(0), ctypes.c_int64(0), _WRITE_OUT)


def _redaction(incoming: BinaryIO, name: str, **how: Any) -> "Redaction | FlatRedaction":
    """A large table goes the fast way, which its libraries are loaded for."""
    first = open_table(read_stream(incoming), name)
    if isinstance(first, Reading):
        return Redaction(first, lambda: open_records(read_stream(incoming), name), name, **how)
    from handover.masking.flat_redaction import FlatRedaction

    def second() -> "FlatTable":
        table = open_table(read_stream(incoming), name)
        assert not isinstance(table, Reading)  # noqa: S101 - the same bytes as before
        return table

    return FlatRedaction(first, second, name, **how)
