"""What a child does before its work: gives up what it does not need, says what it gave up, then runs `module.main()`.

The module is imported first (our own code, no input read yet), so that its libraries still load from disk; then
files, sockets and programs are out of reach. An exception is reported as its type and place, never its text:
the text may quote a customer's record.
"""

import ctypes
import gc
import importlib
import os
import resource
import signal
import sys
import traceback
from types import TracebackType

import msgspec

from handover.sandbox import lockdown
from handover.sandbox.limits import Limits, Protections

EXIT_MEMORY = 77
EXIT_EXCEPTION = 78
#: stdin, stdout, stderr, and what a library opens for itself (fonts, its own modules).
_OPEN_FILES = 64
#: Address space without memory behind it, which the compiled loops (`handover.kernel`) reserve to catch what leaves their own.
_RESERVED_PER_CORE = 17 << 30
_GARBAGE_THRESHOLD = 50_000
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4


class Announcement(msgspec.Struct):
    """The first line on stderr."""

    sandbox: Protections


class Crash(msgspec.Struct):
    """The last line on stderr of a child that met an exception."""

    crash: str


def main() -> None:
    """Entry of the bootstrap line in `run`; argv is [-c, module, limits as JSON]."""
    module_name, limits = sys.argv[1], msgspec.json.decode(sys.argv[2], type=Limits)
    sys.argv = [module_name]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    _set_limits(limits)
    code = 0
    try:
        # Modules stay, and rows are many small lists that die in batches: looking for cycles after every 700 is wasted.
        gc.set_threshold(_GARBAGE_THRESHOLD)
        module = importlib.import_module(module_name)
        _say(Announcement(lockdown.apply(libc, limits.readable)))
        module.main()
        sys.stdout.flush()
    except MemoryError:
        code = EXIT_MEMORY
    except BaseException as error:  # noqa: BLE001 - the one place that turns any failure into a sanitised line
        code = EXIT_EXCEPTION
        _say(Crash(f"{type(error).__name__} at {_place(error.__traceback__)}"))
    # No interpreter shutdown: destructors of half-parsed input are more code under attack, and slow.
    os._exit(code)


def _set_limits(limits: Limits) -> None:
    _lower(resource.RLIMIT_CORE, 0, 0)
    _lower(resource.RLIMIT_DATA, limits.memory_bytes, limits.memory_bytes)
    addresses = limits.memory_bytes + _RESERVED_PER_CORE * ((os.cpu_count() or 1) + 1)
    _lower(resource.RLIMIT_AS, addresses, addresses)
    _lower(resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 1)
    _lower(resource.RLIMIT_NOFILE, _OPEN_FILES, _OPEN_FILES)
    _lower(resource.RLIMIT_FSIZE, limits.output_bytes, limits.output_bytes)


def _lower(which: int, soft: int, hard: int) -> None:
    """A limit that is stricter already stays: raising it would be refused."""
    _, ceiling = resource.getrlimit(which)
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    resource.setrlimit(which, (soft, hard))


def _say(message: msgspec.Struct) -> None:
    os.write(2, msgspec.json.encode(message) + b"\n")


def _place(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)
    ours = [frame for frame in frames if "handover" in frame.filename] or list(frames)
    if not ours:
        return "?"
    return f"{ours[-1].filename.rpartition('handover/')[2]}:{ours[-1].lineno}"
