"""A dramatiq broker over the job table: the embedded mode, with no server beside the database.

The table is the queue, so nothing is ever enqueued twice or lost between two stores; dramatiq brings the worker
threads, prefetching and orderly shutdown. Retries are the table's business, so no dramatiq middleware repeats a message.
"""

import threading
import time
import uuid
from collections.abc import Iterable
from typing import Any

import dramatiq
from dramatiq.common import current_millis

from handover.context import Installation
from handover.errors import HandoverError
from handover.jobs import leases
from handover.jobs.execute import Executor, logger

QUEUE = "jobs"
ACTOR = "run_job"
#: How often an idle worker looks for rows; the answer to "how long until my click starts working".
POLL_SECONDS = 0.1


class TableBroker(dramatiq.Broker):
    """Leases rows of the job table and hands them to dramatiq's worker threads."""

    def __init__(self, installation: Installation, executor: Executor, *, lease_seconds: int, threads: int) -> None:
        super().__init__(middleware=[])
        self.installation, self.lease_seconds = installation, lease_seconds
        #: Rows are leased only for threads that are free, because a waiting row's lease would run out.
        self.free = threading.BoundedSemaphore(threads)
        self.declare_queue(QUEUE)
        dramatiq.actor(actor_name=ACTOR, queue_name=QUEUE, broker=self)(executor_call(executor))

    def declare_queue(self, queue_name: str) -> None:
        self.queues[queue_name] = None

    def enqueue(self, message: "dramatiq.Message[Any]", *, delay: int | None = None) -> "dramatiq.Message[Any]":
        """Messages come from the table alone."""
        raise NotImplementedError("put a row into the job table instead")

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> dramatiq.Consumer:
        return _TableConsumer(self, queue_name, timeout)

    def get_declared_queues(self) -> set[str]:
        return set(self.queues)

    def get_declared_delay_queues(self) -> set[str]:
        return set()


class _TableConsumer(dramatiq.Consumer):
    def __init__(self, broker: TableBroker, queue_name: str, timeout: int) -> None:
        self._broker, self._queue, self._timeout = broker, queue_name, timeout

    def __next__(self) -> dramatiq.MessageProxy | None:
        deadline = current_millis() + self._timeout
        while True:
            leased = self._lease_one() if self._broker.free.acquire(blocking=False) else None
            if leased is not None:
                arguments = (str(leased[0]), leased[1])
                return dramatiq.MessageProxy(
                    dramatiq.Message(queue_name=self._queue, actor_name=ACTOR, args=arguments, kwargs={}, options={})
                )
            if current_millis() >= deadline:
                return None
            time.sleep(POLL_SECONDS)

    def _lease_one(self) -> tuple[uuid.UUID, str] | None:
        """Takes a row for the thread that was just reserved, or gives the thread back."""
        try:
            if leases.due(self._broker.installation, limit=1):
                for leased in leases.claim(
                    self._broker.installation, lease_seconds=self._broker.lease_seconds, limit=1
                ):
                    return leased
        except HandoverError as error:
            logger.warning("the job table cannot be read: %s", error.code)
        self._broker.free.release()
        return None

    def ack(self, message: dramatiq.MessageProxy) -> None:
        self._broker.free.release()

    def nack(self, message: dramatiq.MessageProxy) -> None:
        self._broker.free.release()

    def requeue(self, messages: Iterable[dramatiq.MessageProxy]) -> None:
        """Rows that were leased but not started go back at once."""
        for message in messages:
            leases.give_back(self._broker.installation, uuid.UUID(message.args[0]), message.args[1])


def executor_call(executor: Executor) -> Any:
    """The one actor: everything about a job is in its row."""

    def run_job(job_id: str, lease: str) -> None:
        executor.execute(uuid.UUID(job_id), lease)

    return run_job
