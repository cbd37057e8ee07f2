"""The worker's own life: it ends when it is told to, also twice at once."""

import signal
import threading
from collections.abc import Iterator

import pytest

from handover import worker
from handover.context import Installation


@pytest.fixture
def handlers() -> Iterator[None]:
    """Those of the test's own process come back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("handlers")
def test_a_signal_that_interrupts_the_handling_of_another_ends_the_worker_too(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a server tells its worker to end, and the kernel does because the server is gone."""
    real, main, more = threading.Condition.notify_all, threading.main_thread(), iter([signal.SIGTERM, signal.SIGINT])

    def interrupted(condition: threading.Condition) -> None:
        """Whoever tells a lock's waiters holds the lock."""
        if threading.current_thread() is main and (number := next(more, None)):
            signal.raise_signal(number)
        real(condition)

    def sweep(_installation: Installation) -> None:
        monkeypatch.setattr(threading.Condition, "notify_all", interrupted)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(worker, "SWEEP_SECONDS", 0.01)
    monkeypatch.setattr(worker, "sweep", sweep)
    worker.run(installation)
