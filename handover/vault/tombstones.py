"""Tombstones beside the ring, without any secret: they outlive an older ring that a restore puts back.

The ring itself holds them too; this file repeats them, so that it can be copied to where backups are.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from handover.vault import durable
from handover.vault.errors import KeyringDamagedError
from handover.vault.ring import Tombstone

FILE = "tombstones.jsonl"


def read(directory: Path) -> list[Tombstone]:
    """All tombstones of the file; none without one.

    Raises:
        KeyringDamagedError: names the line.
    """
    try:
        lines = (directory / FILE).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [_decode(line, number) for number, line in enumerate(lines, start=1)]


def write(directory: Path, stones: Iterable[Tombstone]) -> None:
    """Replaces the file."""
    durable.replace_whole(directory / FILE, b"".join(msgspec.json.encode(stone) + b"\n" for stone in stones))


def _decode(line: bytes, number: int) -> Tombstone:
    try:
        return msgspec.json.decode(line, type=Tombstone)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise KeyringDamagedError(f"{FILE} line {number}: not a tombstone") from error
