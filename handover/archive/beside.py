"""Work beside this process, in a forked one: requests are answered in their order, and what is large stands in shared memory.

It gives a second core to work that would wait for the interpreter's lock. Where it can't be had (another system than Linux, one
core, threads that run already and might hold locks), the same work is done here, when its answer is asked for.
"""

import contextlib
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

from handover.archive.errors import HelperEndedError
from handover.crypto.age.stream import THREADS

#: Answers one request.
Work = Callable[[bytes], bytes]
_LENGTH = 4
_ANSWER, _ERROR = b"\0", b"\1"


class Worker(Protocol):
    """Whoever works."""

    #: Requests that may wait for their answers.
    depth: int

    def ask(self, request: bytes) -> None:
        """Asks for work."""

    def answer(self) -> bytes:
        """The answer to the first request that was not answered; raises what the work raised."""


class Here:
    """Works in this process."""

    depth = 1

    def __init__(self, work: Work) -> None:
        self._work = work
        self._requests: deque[bytes] = deque()

    def ask(self, request: bytes) -> None:
        """Notes it."""
        self._requests.append(request)

    def answer(self) -> bytes:
        """Works."""
        return self._work(self._requests.popleft())


class Beside:
    """Works in a process that ends with this one, however this one ends: either notices when the other is gone."""

    depth = 4

    def __init__(self, work: Work) -> None:
        (requests, ask), (answer, answers) = os.pipe(), os.pipe()
        with _uninterrupted():
            self._process = os.fork()
            if not self._process:
                _serve(work, requests, answers, (ask, answer))
        os.close(requests)
        os.close(answers)
        self._ask, self._answer = open(ask, "wb"), open(answer, "rb")  # noqa: PTH123, SIM115 - descriptors, see `close`

    def ask(self, request: bytes) -> None:
        """Passes it on."""
        try:
            _send(self._ask, request)
        except BrokenPipeError as error:
            raise _ended() from error

    def answer(self) -> bytes:
        """Waits for it."""
        said = _receive(self._answer)
        if said is None:
            raise _ended()
        if said.startswith(_ERROR):
            import pickle  # only where something failed

            raise pickle.loads(said[1:])  # noqa: S301 - from our own child, over a pipe that nobody else has
        return said[1:]

    def close(self) -> None:
        """Lets it end, and waits for that."""
        for pipe in (self._ask, self._answer):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        with contextlib.suppress(ChildProcessError):  # where the program was told to wait for no children
            os.waitpid(self._process, 0)


@contextlib.contextmanager
def beside(work: Work, *, worth_it: bool) -> Iterator[Worker]:
    """Whoever does `work` in the block: another process if that is worth its start and possible."""
    if not worth_it or sys.platform != "linux" or THREADS == 1 or threading.active_count() > 1:
        yield Here(work)
        return
    worker = Beside(work)
    try:
        yield worker
    finally:
        worker.close()


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """An interrupt from the terminal reaches the child too, which must not follow it up the parent's stack: it never sees one."""
    import signal

    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(work: Work, requests: int, answers: int, others: tuple[int, int]) -> None:
    """Answers until nobody asks any more; nothing that the parent began is ended here."""
    import gc

    code = 1
    try:
        gc.disable()  # it would touch, and so copy, what the parent has in memory
        for other in others:
            os.close(other)
        with open(requests, "rb") as asked, open(answers, "wb") as answered:
            while (request := _receive(asked)) is not None:
                _send(answered, _try(work, request))
        code = 0
    finally:
        os._exit(code)


def _try(work: Work, request: bytes) -> bytes:
    try:
        return _ANSWER + work(request)
    except Exception as error:  # noqa: BLE001 - raised again by `answer`
        import pickle

        return _ERROR + pickle.dumps(error)


def _send(pipe: BinaryIO, message: bytes) -> None:
    pipe.write(len(message).to_bytes(_LENGTH, "big") + message)
    pipe.flush()


def _receive(pipe: BinaryIO) -> bytes | None:
    """None when the other end is closed."""
    length = pipe.read(_LENGTH)
    if len(length) < _LENGTH:
        return None
    size = int.from_bytes(length, "big")
    message = pipe.read(size)
    return message if len(message) == size else None


def _ended() -> HelperEndedError:
    return HelperEndedError(
        "the process that works beside this one was ended; repeat, and look at the memory of the machine"
    )
