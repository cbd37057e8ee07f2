"""A dramatiq broker over the job table: the embedded mode, with no server beside the database.

The table is the queue, so nothing is ever enqueued twice or lost between two stores; dramatiq brings the worker
threads, prefetching and orderly shutdown. Retries are the table's business, so no dramatiq middleware repeats a message.
"""

import time
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

    def __init__(self, installation: Installation, executor: Executor, *, lease_seconds: int) -> None:
        super().__init__(middleware=[])
        self.installation, self.lease_seconds = installation, lease_seconds
        self.declare_queue(QUEUE)
        dramatiq.actor(executor_call(executor), actor_name=ACTOR, queue_name=QUEUE, broker=self)

    def declare_queue(self, queue_name: str) -> None:
        self.queues[queue_name] = None

    def enqueue(self, message: "dramatiq.Message[Any]", *, delay: int | None = None) -> "dramatiq.Message[Any]":
        """Messages come from the table alone."""
        raise dramatiq.DramatiqError("put a row into the job table instead")

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> dramatiq.Consumer:
        return _TableConsumer(self, queue_name, timeout)

    def get_declared_queues(self) -> set[str]:
        return set(self.queues)

    def get_declared_delay_queues(self) -> set[str]:
        return set()


class _TableConsumer(dramatiq.Consumer):
    def __init__(self, broker: TableBroker, queue_name: str, timeout: int) -> None:
        self._broker, self._queue, self._timeout = broker, queue_name, timeout
        self._waiting: list[tuple[Any, str]] = []

    def __next__(self) -> dramatiq.MessageProxy | None:
        deadline = current_millis() + self._timeout
        while True:
            try:
                if not self._waiting and leases.due(self._broker.installation, limit=1):
                    self._waiting = list(
                        leases.claim(self._broker.installation, lease_seconds=self._broker.lease_seconds, limit=1)
                    )
            except HandoverError as error:
                logger.warning("the job table cannot be read: %s", error.code)
            if self._waiting:
                job_id, lease = self._waiting.pop()
                return dramatiq.MessageProxy(
                    dramatiq.Message(
                        queue_name=self._queue, actor_name=ACTOR, args=(str(job_id), lease), kwargs={}, options={}
                    )
                )
            if current_millis() >= deadline:
                return None
            time.sleep(POLL_SECONDS)

    def ack(self, message: dramatiq.MessageProxy) -> None:
        """The executor closed the row in the job's own transaction."""

    def nack(self, message: dramatiq.MessageProxy) -> None:
        """The lease runs out and the row is taken again."""

    def requeue(self, messages: Iterable[dramatiq.MessageProxy]) -> None:
        """Rows that were leased but not started: their leases run out."""


def executor_call(executor: Executor) -> Any:
    """The one actor: everything about a job is in its row."""
    import uuid

    def run_job(job_id: str, lease: str) -> None:
        executor.execute(uuid.UUID(job_id), lease)

    return run_job
