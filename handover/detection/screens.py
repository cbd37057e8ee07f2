"""Loads the compiled first look (`screening`) only when there is enough text; without its libraries the detectors do everything."""

from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING

from handover.detection.known import KnownValues

if TYPE_CHECKING:
    from handover.detection.screening import Screen

_NOTHING = KnownValues()
_making = Lock()


def is_installed() -> bool:
    """True when the compiled code can run here (`handover[server]`)."""
    return find_spec("wasmtime") is not None and find_spec("numpy") is not None


def screen_of(known: KnownValues | None) -> "Screen | None":
    """The screen with these known values, made once; None where it can't run or does not know the detectors."""
    values = known or _NOTHING
    with _making:
        if values.screen is None and is_installed():
            from handover.detection.screening import Screen, is_current

            if is_current():
                values.screen = Screen(values)
        return values.screen
