"""The parent's side of an inspection: hands the file to a child twice and takes a report back."""

from collections.abc import Callable, Iterator

import msgspec

from handover.detection.child import Parameters
from handover.detection.parts import PartState
from handover.detection.report import ScanReport
from handover.i18n import Text
from handover.sandbox import Limits, SandboxCrashError, Source, Stream, run_isolated, stream_of
from handover.sandbox.frames import FrameKind, FrameParser, pack
from handover.sandbox.run import Progress

_CHILD = "handover.detection.child"


def inspect_isolated(
    source: Source,
    name: str,
    *,
    key: bytes,
    subject_field: str | None = None,
    on_spans: Callable[[bytes], None] | None = None,
    on_subjects: Callable[[bytes], None] | None = None,
    progress: Progress | None = None,
    limits: Limits | None = None,
) -> ScanReport:
    """Inventories one file in a child.

    Args:
        source: the plaintext; read twice, because names are collected before free text is searched for them.
        name: the file's name, for telling CSV from TXT; never stored.
        key: the case's key for subject digests.
        subject_field: the field that says whom a record is about, when the custodian chose another than proposed.
        on_spans: takes hits as JSON lines of `SpanRow` (several a call).
        on_subjects: takes the distinct subjects' 16-byte digests, concatenated, ascending; not called when estimated.
        progress: takes `{"stage": "survey" | "scan", "records": n}`.

    Returns:
        The report; when the file can't be inspected, `blocked` says why.

    Raises:
        SandboxError: the child ran out of time or memory, or crashed.
    """
    parameters = Parameters(
        name=name, key=key, subject_field=subject_field, spans=on_spans is not None, subjects=on_subjects is not None
    )
    parser = FrameParser()
    results: list[ScanReport] = []

    def take(data: bytes) -> None:
        for kind, payload in parser.feed(data):
            if kind is FrameKind.REPORT:
                results.append(msgspec.json.decode(payload, type=ScanReport))
            elif kind is FrameKind.REFUSED:
                results.append(ScanReport(blocked=msgspec.json.decode(payload, type=Text), persons_method="none"))
            elif kind is FrameKind.SIDE and on_spans is not None:
                on_spans(payload)
            elif kind is FrameKind.DATA and on_subjects is not None:
                on_subjects(payload)

    _run(parameters, source, take, progress, limits)
    if not results:
        raise SandboxCrashError("the inspection ended without a report")
    return results[0]


def inspect_part_isolated(
    source: Source,
    name: str,
    *,
    key: bytes,
    part: tuple[int, int],
    subject_field: str | None = None,
    progress: Progress | None = None,
    limits: Limits | None = None,
) -> PartState | Text:
    """One part of an inspection that is shared (`parts`): what it found, or why the file can't be inspected.

    Args:
        part: number of the part, from 0, and of how many; at least two.

    Raises:
        SandboxError: the child ran out of time or memory, or crashed.
    """
    parser = FrameParser()
    results: list[PartState | Text] = []

    def take(data: bytes) -> None:
        for kind, payload in parser.feed(data):
            if kind is FrameKind.REPORT:
                results.append(msgspec.msgpack.decode(payload, type=PartState))
            elif kind is FrameKind.REFUSED:
                results.append(msgspec.json.decode(payload, type=Text))

    parameters = Parameters(name=name, key=key, subject_field=subject_field, part=part)
    _run(parameters, source, take, progress, limits)
    if not results:
        raise SandboxCrashError("the inspection ended without a report")
    return results[0]


def _run(
    parameters: Parameters,
    source: Source,
    take: Callable[[bytes], None],
    progress: Progress | None,
    limits: Limits | None,
) -> None:
    with stream_of(source) as stream:
        run_isolated(
            _CHILD,
            stdin=_wire(parameters, stream),
            descriptors=stream.descriptors,
            limits=limits,
            on_output=take,
            on_progress=progress,
        )


def _wire(parameters: Parameters, stream: Stream) -> Iterator[bytes]:
    yield pack(FrameKind.PARAMETERS, msgspec.json.encode(parameters))
    yield from stream.frames()
    yield from stream.frames()
