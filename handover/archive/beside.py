"""Work that a forked process shares: requests are answered in their order by either, and what is large stands in shared memory.

It gives a second core to work that would wait for the interpreter's lock. Where it can't be had (another system than Linux, one
core, threads that run already and might hold locks), the same work is done here, when its answer is asked for.
"""

import contextlib
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator

from handover.archive.errors import HelperEndedError
from handover.crypto.age.stream import THREADS, WORKERS, end_workers

#: Answers one request. Both processes have one, and each gets the requests that it answers in their order.
Work = Callable[[bytes], bytes]
#: Requests that the other process has: enough for the time in which nobody looks whether it needs more.
_SENT = 6
#: Requests that wait for their answers, at most.
DEPTH = 12
_LENGTH = 4
_ANSWER, _ERROR = b"\0", b"\1"


class Here:
    """Works in this process."""

    #: Requests that should wait for their answers.
    depth = 1

    def __init__(self, work: Work) -> None:
        self._work = work
        self._asked: deque[_Asked] = deque()

    def ask(self, request: bytes, *, here: bool = True) -> None:
        """Asks for work; not `here` if all of its kind must be done by one process."""
        self._asked.append(_Asked(request, here=here))

    def answer(self) -> bytes:
        """The answer to the first request that was not answered; raises what the work raised."""
        return self._work(self._asked.popleft().request)


class Beside(Here):
    """Works in a second process too. It ends with this one, however this one ends: either notices when the other is gone."""

    depth = DEPTH

    def __init__(self, work: Work) -> None:
        super().__init__(work)
        self._sent: deque[_Asked] = deque()
        (requests, self._requests), (self._answers, answers) = os.pipe(), os.pipe()
        with _uninterrupted():
            self._process = os.fork()
            if not self._process:
                _serve(work, requests, answers, (self._requests, self._answers))
        os.close(requests)
        os.close(answers)

    def answer(self) -> bytes:
        """As `Here.answer`; works while there is nothing else to do but wait."""
        self._exchange()
        while (first := self._asked[0]).answer is None:
            if own := self._own():
                own.open, own.answer = False, self._work(own.request)
            else:
                self._receive()
            self._exchange()
        self._asked.popleft()
        return first.answer

    def close(self) -> None:
        """Lets the other process end, and waits for that."""
        os.close(self._requests)
        os.close(self._answers)
        with contextlib.suppress(ChildProcessError):  # where the program was told to wait for no children
            os.waitpid(self._process, 0)

    def _own(self) -> "_Asked | None":
        """A request that can be worked on here."""
        return next((one for one in self._asked if one.open and one.here), None)

    def _exchange(self) -> None:
        """Takes what the other process has done, and sees that it has work."""
        while self._sent and _there(self._answers):
            self._receive()
        for one in self._asked:
            if len(self._sent) == _SENT:
                return
            if one.open:
                one.open = False
                self._sent.append(one)
                try:
                    _write(self._requests, one.request)
                except BrokenPipeError as error:
                    raise _ended() from error

    def _receive(self) -> None:
        """Waits for an answer of the other process."""
        said = _read(self._answers)
        if said is None:
            raise _ended()
        if said.startswith(_ERROR):
            import pickle  # only where something failed

            raise pickle.loads(said[1:])  # noqa: S301 - from our own child, over a pipe that nobody else has
        self._sent.popleft().answer = said[1:]


class _Asked:
    """A request; `open` while nobody works on it."""

    def __init__(self, request: bytes, *, here: bool) -> None:
        self.request, self.here, self.open = request, here, True
        self.answer: bytes | None = None


@contextlib.contextmanager
def beside(work: Work, *, worth_it: bool) -> Iterator[Here]:
    """Whoever does `work` in the block: another process too if that is worth its start and possible."""
    if not worth_it or sys.platform != "linux" or THREADS == 1 or not _alone():
        yield Here(work)
        return
    worker = Beside(work)
    try:
        yield worker
    finally:
        worker.close()


def _alone() -> bool:
    """Whether no other thread runs, after those of streams, which wait for work, have ended."""
    others = [thread for thread in threading.enumerate() if thread is not threading.current_thread()]
    if all(thread.name.startswith(WORKERS) for thread in others):
        end_workers()
    return threading.active_count() == 1


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
        while (request := _read(requests)) is not None:
            _write(answers, _try(work, request))
        code = 0
    finally:
        os._exit(code)


def _try(work: Work, request: bytes) -> bytes:
    try:
        return _ANSWER + work(request)
    except Exception as error:  # noqa: BLE001 - raised again by `answer`
        import pickle

        return _ERROR + pickle.dumps(error)


def _write(pipe: int, message: bytes) -> None:
    left = len(message).to_bytes(_LENGTH, "big") + message
    while left:
        left = left[os.write(pipe, left) :]


def _read(pipe: int) -> bytes | None:
    """None when the other end is closed."""
    length = _exactly(pipe, _LENGTH)
    return length and _exactly(pipe, int.from_bytes(length, "big"))


def _exactly(pipe: int, size: int) -> bytes | None:
    data = b""
    while len(data) < size:
        part = os.read(pipe, size - len(data))
        if not part:
            return None
        data += part
    return data


def _there(pipe: int) -> bool:
    """Whether there is something to read, or the other end is closed."""
    import select

    return bool(select.select([pipe], [], [], 0)[0])


def _ended() -> HelperEndedError:
    return HelperEndedError(
        "the process that works beside this one was ended; see whether the machine lacks memory, and repeat"
    )
