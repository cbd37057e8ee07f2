"""Run as a program by the concurrency test: opens the database at argv[1] and appends argv[2] entries."""

import sys
import threading
import uuid

from handover.audit import AuditLog
from handover.context import SYSTEM, Installation
from handover.db import Database
from tests.audit.logs import HONEST, ORIGIN


def append_entries(installation: Installation, count: int) -> None:
    """One transaction each; every tenth also signs a checkpoint."""
    log = installation.get(AuditLog)
    for number in range(count):
        with installation.unit_of_work(SYSTEM) as ctx:
            log.append(ctx, "package.released", entity="package", entity_id=uuid.uuid4(), details={"number": number})
        if number % 10 == 9:
            with installation.unit_of_work(SYSTEM) as ctx:
                log.checkpoint(ctx)


def append_in_threads(installation: Installation, threads: int, count: int) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            append_entries(installation, count)
        except BaseException as error:  # noqa: BLE001 - told to the thread that waits
            failures.append(error)

    workers = [threading.Thread(target=run) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if failures:
        raise failures[0]


if __name__ == "__main__":
    database = Database(sys.argv[1])
    append_in_threads(Installation(database, {AuditLog: AuditLog(ORIGIN, *HONEST.signers)}), 4, int(sys.argv[2]))
    database.close()
