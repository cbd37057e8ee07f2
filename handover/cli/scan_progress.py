"""What a long inspection says on a terminal while it works: how many records it has read, and how many searched."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from handover.sandbox.run import Progress

_STAGES = {"survey": "read", "scan": "searched"}
_CLEAR = "\r\x1b[K"


@contextlib.contextmanager
def shown(path: Path) -> Iterator[Progress | None]:
    """Takes the progress of one file; None where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return

    def show(progress: dict[str, Any]) -> None:
        stage = _STAGES.get(progress["stage"], progress["stage"])
        click.echo(f"{_CLEAR}{path.name}: {progress['records']:,} records {stage}", err=True, nl=False)

    try:
        yield show
    finally:
        click.echo(_CLEAR, err=True, nl=False)
