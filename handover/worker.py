"""The worker: leases jobs and runs them, and sweeps what is due. It ends when the process that started it ends."""

import ctypes
import logging
import os
import queue
import signal
from collections.abc import Callable

import dramatiq

from handover import rooms
from handover.agreements import service as agreements
from handover.audit import AuditLog
from handover.compliance import service as compliance
from handover.context import SYSTEM, Context, Installation
from handover.delivery import service as delivery
from handover.desk import mailing, reminding
from handover.errors import HandoverError
from handover.inventory import uploads
from handover.jobs.broker import TableBroker
from handover.jobs.execute import Executor
from handover.recipients import service as recipients
from handover.settings import Settings
from handover.web import idempotency

logger = logging.getLogger("handover.worker")

#: Two cores' worth of jobs at once; each may start a parsing child of its own.
THREADS = 2
SWEEP_SECONDS = 30
_PR_SET_PDEATHSIG = 1

#: What is due by time, each in a unit of work of its own.
SWEEPS: tuple[Callable[[Context], int], ...] = (
    agreements.expire_due,
    uploads.expire,
    recipients.expire_due,
    delivery.expire_due,
    compliance.mark_overdue,
    idempotency.expire,
    mailing.notify,
    reminding.remind,
)


def run(installation: Installation, *, parent: int | None = None) -> None:
    """Works until SIGTERM or SIGINT, or until the parent is gone."""
    # An event's lock would be waited for in vain by the second of two signals, whose handler interrupts the first one's.
    stop = queue.SimpleQueue[int]()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: stop.put(number))
    if parent is not None:
        end_with_parent(parent)
    policy = installation.get(Settings).policy
    broker = TableBroker(
        installation, Executor(installation, rooms.jobs()), lease_seconds=policy.job_lease_seconds, threads=THREADS
    )
    worker = dramatiq.Worker(broker, worker_threads=THREADS, worker_timeout=200)
    worker.start()
    logger.info("worker ready")
    try:
        while not _told(stop, SWEEP_SECONDS):
            sweep(installation)
    finally:
        worker.stop(timeout=10_000)


def _told(stop: "queue.SimpleQueue[int]", seconds: float) -> bool:
    """Whether a signal came within this time."""
    try:
        return bool(stop.get(timeout=seconds))
    except queue.Empty:
        return False


def sweep(installation: Installation) -> None:
    """One round of everything that is due by time; a fault in one leaves the others."""
    for due in SWEEPS:
        try:
            with installation.unit_of_work(SYSTEM) as ctx:
                due(ctx)
        except HandoverError as error:
            logger.warning("a sweep failed: %s", error.code)
    try:
        with installation.unit_of_work(SYSTEM) as ctx:
            ctx.get(AuditLog).checkpoint(ctx)
    except HandoverError as error:
        logger.warning("no checkpoint: %s", error.code)


def end_with_parent(parent: int) -> None:
    """The kernel ends this process when its parent dies, however it dies."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(0)
