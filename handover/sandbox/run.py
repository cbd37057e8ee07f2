"""Starts a child, feeds it, drains it, and ends it: one thread, so callbacks run where the caller is.

The parent's chunks are pulled only as fast as the child reads them and output is handed on as it comes, so neither
side is ever held in memory whole. If the source or a callback raises, the child is killed and the error goes on.
"""

import contextlib
import fcntl
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec

from handover.sandbox.child import EXIT_EXCEPTION, EXIT_MEMORY
from handover.sandbox.errors import (
    SandboxCrashError,
    SandboxMemoryError,
    SandboxOutputError,
    SandboxTimeoutError,
)
from handover.sandbox.limits import Limits, Outcome, Protections

_BOOTSTRAP = "import sys; sys.path.insert(0, sys.argv.pop(1)); from handover.sandbox.child import main; main()"
_ROOT = str(Path(__file__).resolve().parents[2])
#: OpenBLAS, which numpy loads and nothing here uses, would start a thread a core that spins at first.
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "OPENBLAS_NUM_THREADS": "1"}
_READ_SIZE = 1 << 20
#: The largest pipe an unprivileged process may have; fewer switches between the two sides.
_PIPE_SIZE = 1 << 20
#: What is kept of stderr that is not a message: enough for one line of a native library.
_TAIL_BYTES = 2000
_SHOWN_CHARACTERS = 160

Progress = Callable[[dict[str, Any]], None]


def run_isolated(
    module: str,
    *,
    stdin: bytes | Iterable[bytes] = b"",
    descriptors: Sequence[int] = (),
    limits: Limits | None = None,
    on_output: Callable[[bytes], None] | None = None,
    on_progress: Progress | None = None,
) -> Outcome:
    """Runs `module.main()` in a child.

    Args:
        module: dotted name of a module of this package with a function `main()`.
        stdin: the child's input; an iterable is read lazily, in the caller's thread.
        descriptors: open files that it has under the same numbers.
        limits: what it may use.
        on_output: takes stdout piece by piece; without it stdout is returned.
        on_progress: takes each `{"progress": {...}}` line that the child writes to stderr.

    Raises:
        SandboxTimeoutError, SandboxMemoryError, SandboxOutputError, SandboxCrashError: the child did not finish.
    """
    limits = limits or Limits()
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-I", "-X", "utf8", "-c", _BOOTSTRAP, _ROOT, module, msgspec.json.encode(limits).decode()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
        env=_ENVIRONMENT,
        close_fds=True,
        pass_fds=descriptors,
        start_new_session=True,
        bufsize=0,
    )
    collected: list[bytes] = []
    talk = _Conversation(process, stdin, limits, on_output or collected.append, on_progress, started)
    try:
        talk.run()
        _judge(process.wait(), talk, limits)
    finally:
        _end(process)
    return Outcome(
        output=b"".join(collected), protections=talk.messages.protections, seconds=time.monotonic() - started
    )


class _Messages:
    """What a child says on stderr: announcements, progress, and the tail of anything else."""

    def __init__(self, on_progress: Progress | None) -> None:
        self.protections = Protections()
        self.crash = ""
        self.tail = b""
        self._rest = b""
        self._on_progress = on_progress

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-_READ_SIZE:]
        for line in lines:
            self._line(line)

    def _line(self, line: bytes) -> None:
        message: Any = None
        if line.startswith(b"{"):
            with contextlib.suppress(msgspec.DecodeError):
                message = msgspec.json.decode(line)
        if not isinstance(message, dict):
            self.tail = (line or self.tail)[-_TAIL_BYTES:]
        elif "progress" in message and self._on_progress is not None:
            self._on_progress(message["progress"])
        elif "sandbox" in message:
            self.protections = msgspec.convert(message["sandbox"], Protections)
        elif "crash" in message:
            self.crash = str(message["crash"])

    def where(self) -> str:
        """The last word, with nothing in it that could be a person's data."""
        text = self.crash or self.tail.decode("ascii", "replace")
        shown = "".join(c if c.isascii() and c.isprintable() else "?" for c in text)
        return shown[:_SHOWN_CHARACTERS] if self.crash else _hide_digits(shown[:_SHOWN_CHARACTERS])


def _hide_digits(text: str) -> str:
    return "".join("9" if c.isdigit() else c for c in text)


class _Conversation:
    """Moves bytes between caller and child until the child has closed both of its outputs."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        stdin: bytes | Iterable[bytes],
        limits: Limits,
        on_output: Callable[[bytes], None],
        on_progress: Progress | None,
        started: float,
    ) -> None:
        self._process = process
        self._source: Iterator[bytes] = iter((stdin,)) if isinstance(stdin, bytes) else iter(stdin)
        self._pending = memoryview(b"")
        self._limits = limits
        self._deadline = started + limits.wall_seconds
        self._on_output = on_output
        self._written = 0
        self.messages = _Messages(on_progress)

    def run(self) -> None:
        incoming, out, err = self._process.stdin, self._process.stdout, self._process.stderr
        assert incoming is not None and out is not None and err is not None  # noqa: S101, PT018 - all three are pipes
        for pipe in (incoming, out, err):
            os.set_blocking(pipe.fileno(), False)
            with contextlib.suppress(OSError):
                fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
        with selectors.DefaultSelector() as selector:
            selector.register(incoming, selectors.EVENT_WRITE, self._give)
            selector.register(out, selectors.EVENT_READ, self._take_output)
            selector.register(err, selectors.EVENT_READ, self._take_message)
            given = incoming.fileno()
            while selector.get_map().keys() - {given}:
                for key, _ in selector.select(self._remaining()):
                    if key.data(key.fileobj):
                        selector.unregister(key.fileobj)
                        key.fileobj.close()  # type: ignore[union-attr]

    def _remaining(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise SandboxTimeoutError(
                f"the file took more than {self._limits.wall_seconds:g} s to process; split it and try again"
            )
        return left

    def _give(self, pipe: IO[bytes]) -> bool:
        """Writes what fits; true when there is nothing more to give or nobody to take it."""
        while not self._pending:
            piece = next(self._source, None)
            if piece is None:
                return True
            self._pending = memoryview(piece)
        try:
            self._pending = self._pending[os.write(pipe.fileno(), self._pending) :]
        except BlockingIOError:
            return False
        except BrokenPipeError:
            return True  # the child stopped reading; how it ended says why
        return False

    def _take_output(self, pipe: IO[bytes]) -> bool:
        data = os.read(pipe.fileno(), _READ_SIZE)
        self._written += len(data)
        if self._written > self._limits.output_bytes:
            raise SandboxOutputError(
                f"processing the file gave more than {self._limits.output_bytes} bytes; it was stopped"
            )
        if data:
            self._on_output(data)
        return not data

    def _take_message(self, pipe: IO[bytes]) -> bool:
        data = os.read(pipe.fileno(), _READ_SIZE)
        self.messages.feed(data or b"\n")
        return not data


def _judge(code: int, talk: _Conversation, limits: Limits) -> None:
    where = talk.messages.where()
    if code == 0:
        return
    if code == EXIT_MEMORY or (code == -signal.SIGABRT and "memory" in where):
        raise SandboxMemoryError(
            f"the file needs more than {limits.memory_bytes >> 20} MiB to process; split it and try again", where=where
        )
    if code == -signal.SIGXCPU:
        raise SandboxTimeoutError(
            f"the file used more than {limits.cpu_seconds} s of processor time; split it and try again"
        )
    how = f"signal {-code}" if code < 0 else "an error" if code == EXIT_EXCEPTION else f"exit code {code}"
    raise SandboxCrashError(f"processing the file ended with {how} ({where or 'no message'})", where=where)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kills the whole group, also when the leader is gone, and reaps."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    process.wait()
