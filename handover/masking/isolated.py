"""The parent's side of redaction and of the second scan."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import BinaryIO, TypeVar

import msgspec

from handover.formats import FormatRefusedError
from handover.i18n import Text
from handover.masking.child import Parameters
from handover.masking.policy import Policy
from handover.masking.report import RedactionReport, ResidualReport
from handover.masking.selection import Selection
from handover.sandbox import Limits, SandboxCrashError, Source, Stream, run_isolated, stream_of
from handover.sandbox.frames import FrameKind, FrameParser, pack, pack_stream
from handover.sandbox.run import Progress

_CHILD = "handover.masking.child"
#: Shorter keys could be searched.
_MIN_KEY = 16

R = TypeVar("R", RedactionReport, ResidualReport)


def redact_isolated(
    source: Source,
    name: str,
    policy: Policy,
    key: bytes,
    *,
    sink: Callable[[bytes], None] | BinaryIO,
    selection: Selection | None = None,
    samples: int = 0,
    on_sample: Callable[[bytes], None] = lambda _record: None,
    part: tuple[int, int] = (0, 1),
    progress: Progress | None = None,
    limits: Limits | None = None,
) -> RedactionReport:
    """Redacts one file in a child.

    Args:
        source: the plaintext; read twice.
        name: the file's name, for telling CSV from TXT and for keeping the tabs of a `.tsv`.
        policy: what happens to each field and kind.
        key: the recipient's pseudonym key, at least 16 bytes.
        sink: takes the output piece by piece; it is whole only when this function returns. The child writes an open file itself.
        selection: whose records go in; a record that can't be attributed stays out. Its references are those of the source.
        samples: how many records a reviewer is to see, drawn under the key.
        on_sample: takes each of them as the JSON of a `SampledRecord`, in the file's order.
        part: number, from 0, and of how many: of CSV, JSONL and TXT one part of the records, so that several workers share a file.
        progress: takes `{"stage": "survey" | "redact", "records": n}`.

    Raises:
        FormatRefusedError: the file can't be inspected, so it is not redacted.
        SandboxError: the child ran out of time or memory, or crashed.
        OSError: the output could not be written.
    """
    if len(key) < _MIN_KEY:
        raise ValueError("a pseudonym key has at least 16 bytes")
    if selection is not None and selection.drop_fields:
        raise ValueError("fields are dropped by the policy, not by the selection")
    take, target = (sink, None) if callable(sink) else (_drop, sink.fileno())
    parameters = Parameters(task="redact", name=name, policy=policy, key=key, samples=samples, part=part, target=target)

    def wire(stream: Stream) -> Iterator[bytes]:
        yield pack(FrameKind.PARAMETERS, msgspec.json.encode(parameters))
        yield from pack_stream([msgspec.msgpack.encode(selection)])
        yield from stream.frames()
        yield from stream.frames()

    return _run([source], wire, RedactionReport, take, progress, limits, on_sample, target)


def residual_isolated(
    output: Source,
    name: str,
    policy: Policy,
    *,
    source: Source,
    quasi_identifiers: Sequence[str] = (),
    progress: Progress | None = None,
    limits: Limits | None = None,
) -> ResidualReport:
    """Scans an output a second time, with the values known from its source; both are opened once.

    Raises:
        FormatRefusedError: source or output can't be read.
        SandboxError: the child ran out of time or memory, or crashed.
    """
    parameters = Parameters(task="residual", name=name, policy=policy, quasi_identifiers=list(quasi_identifiers))

    def wire(before: Stream, after: Stream) -> Iterator[bytes]:
        yield pack(FrameKind.PARAMETERS, msgspec.json.encode(parameters))
        yield from before.frames()
        yield from after.frames()

    return _run([source, output], wire, ResidualReport, _drop, progress, limits)


def _drop(_data: bytes) -> None:
    """Takes an output that does not come this way."""


def _run(
    sources: Sequence[Source],
    wire: Callable[..., Iterator[bytes]],
    report: type[R],
    sink: Callable[[bytes], None],
    progress: Progress | None,
    limits: Limits | None,
    on_sample: Callable[[bytes], None] = lambda _record: None,
    target: int | None = None,
) -> R:
    parser = FrameParser()
    results: list[R] = []
    reasons: list[Text] = []

    def take(data: bytes) -> None:
        for kind, payload in parser.feed(data):
            if kind is FrameKind.DATA:
                sink(payload)
            elif kind is FrameKind.SIDE:
                on_sample(payload)
            elif kind is FrameKind.REPORT:
                results.append(msgspec.json.decode(payload, type=report))
            elif kind is FrameKind.UNWRITTEN:
                raise OSError(int(payload), os.strerror(int(payload)))
            elif kind is FrameKind.REFUSED:
                reasons.append(msgspec.json.decode(payload, type=Text))

    with ExitStack() as stack:
        streams: list[Stream] = [stack.enter_context(stream_of(source)) for source in sources]
        run_isolated(
            _CHILD,
            stdin=wire(*streams),
            descriptors=[
                *(descriptor for stream in streams for descriptor in stream.descriptors),
                *(() if target is None else (target,)),
            ],
            limits=limits,
            on_output=take,
            on_progress=progress,
        )
    if reasons:
        raise FormatRefusedError(reasons[0])
    if not results:
        raise SandboxCrashError("the redaction ended without a report")
    return results[0]
