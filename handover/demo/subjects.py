"""Which customers a person's own files are about, so that the demo can ask them: read from the files' own columns."""

import secrets
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from handover.detection import inspect_isolated
from handover.formats import FormatRefusedError, open_records


def subjects_in(files: list[Path]) -> list[str]:
    """Distinct subject references, in the order of the files; files that tell no persons apart give none."""
    found: dict[str, None] = {}
    for path in files:
        report = inspect_isolated(partial(_chunks, path), path.name, key=secrets.token_bytes(32))
        if report.subject is None:
            continue
        try:
            for batch in open_records(_chunks(path), path.name).batches:
                for column in batch.columns:
                    if column.name == report.subject.field:
                        found.update(dict.fromkeys(value.strip() for value in column.values if value.strip()))
        except FormatRefusedError:
            continue
    return list(found)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as source:
        while chunk := source.read(1 << 20):
            yield chunk
