"""Runs one module of ours in a separate process that gets bytes, gives bytes, and can do nothing else.

`run_isolated(module, *, stdin, limits, on_output, on_progress) -> Outcome` starts `python -I` by exec (never a fork of
a process that carries keys), with an empty environment, limits on memory, time and output, and a hard kill of the
whole process group. Which protections the kernel granted is in `Outcome.protections`; none is assumed.
`frames` is the one framing used on the child's stdin and stdout; `stream_of` puts a source on it.

Errors: `SandboxTimeoutError`, `SandboxMemoryError`, `SandboxOutputError`, `SandboxCrashError`, all under `SandboxError`.
"""

from handover.sandbox.errors import (
    SandboxCrashError,
    SandboxError,
    SandboxMemoryError,
    SandboxOutputError,
    SandboxTimeoutError,
)
from handover.sandbox.limits import Limits, Outcome, Protections
from handover.sandbox.run import run_isolated
from handover.sandbox.sources import LocalFile, Source, Stream, stream_of

__all__ = [
    "Limits",
    "LocalFile",
    "Outcome",
    "Protections",
    "SandboxCrashError",
    "SandboxError",
    "SandboxMemoryError",
    "SandboxOutputError",
    "SandboxTimeoutError",
    "Source",
    "Stream",
    "run_isolated",
    "stream_of",
]
