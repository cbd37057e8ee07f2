"""Rules of the job table, on both databases: nothing is lost, nothing runs under two leases, faults are told apart."""

import datetime as dt
import threading
from collections.abc import Callable

import pytest

from handover import jobs
from handover.context import SYSTEM, Installation
from handover.errors import ConflictError, HandoverError, InvalidInputError, Kind
from handover.jobs import Job, JobCancelledError, JobHandler, JobRun, LeaseLostError, leases
from handover.jobs.execute import Executor
from tests.actors import Clock
from tests.conftest import any_database

LEASE = 20


class _BusyError(HandoverError):
    code = "busy"
    kind = Kind.UNAVAILABLE


def put(installation: Installation, kind: str = "test") -> Job:
    with installation.unit_of_work(SYSTEM) as ctx:
        job_id = jobs.put(ctx, kind, entity_id="x")
    return load(installation, job_id)


def load(installation: Installation, job_id: object) -> Job:
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        return ctx.session.get_one(Job, job_id)


def run_once(installation: Installation, work: Callable[[JobRun], None], on_end: object = None) -> None:
    """One round of a worker: claims what is due and executes it."""
    executor = Executor(installation, {"test": JobHandler(work, on_end)})  # type: ignore[arg-type]
    for job_id, lease in leases.claim(installation, lease_seconds=LEASE, limit=5):
        executor.execute(job_id, lease)


@any_database
def test_a_job_exists_only_when_the_change_that_wants_it_commits(installation: Installation) -> None:

    def fail() -> None:
        with installation.unit_of_work(SYSTEM) as ctx:
            jobs.put(ctx, "test", entity_id="x")
            raise _BusyError("no commit")

    with pytest.raises(_BusyError):
        fail()
    assert not leases.due(installation, limit=1)
    put(installation)
    assert leases.due(installation, limit=1)


@any_database
def test_of_many_workers_exactly_one_gets_a_row(installation: Installation) -> None:
    put(installation)
    won: list[object] = []
    barrier = threading.Barrier(6)

    def claim() -> None:
        barrier.wait()
        won.extend(leases.claim(installation, lease_seconds=LEASE, limit=1))

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


@any_database
def test_a_dead_workers_job_goes_on_when_its_lease_runs_out(installation: Installation, clock: Clock) -> None:
    job = put(installation)
    assert len(leases.claim(installation, lease_seconds=LEASE, limit=1)) == 1  # this worker dies here
    assert leases.claim(installation, lease_seconds=LEASE, limit=1) == []
    clock.advance(seconds=LEASE + 1)
    done: list[int] = []
    run_once(installation, lambda run: done.append(run.attempt))
    assert done == [2]
    assert load(installation, job.id).state == "done"


@any_database
def test_a_worker_that_lost_its_lease_stores_nothing(installation: Installation, clock: Clock) -> None:
    job = put(installation)
    ((job_id, lease),) = leases.claim(installation, lease_seconds=LEASE, limit=1)
    clock.advance(seconds=LEASE + 1)
    ((_, other),) = leases.claim(installation, lease_seconds=LEASE, limit=1)
    stale = JobRun(installation, load(installation, job_id), lease)
    with pytest.raises(LeaseLostError), stale.finish() as ctx:
        jobs.put(ctx, "by the stale worker", entity_id="x")
    assert load(installation, job.id).lease == other
    assert not leases.claim(installation, lease_seconds=LEASE, limit=1)


@any_database
def test_the_result_and_the_end_of_the_job_are_one_transaction(installation: Installation) -> None:
    job = put(installation)

    def work(run: JobRun) -> None:
        with run.finish() as ctx:
            jobs.put(ctx, "test", entity_id="made")
            raise _BusyError("the database went away at the last moment")

    run_once(installation, work)
    assert load(installation, job.id).state == "queued"
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        assert ctx.session.query(Job).count() == 1


def test_faults_of_the_surroundings_are_waited_for_without_end(installation: Installation, clock: Clock) -> None:
    job = put(installation)

    def work(_run: JobRun) -> None:
        raise _BusyError("not now")

    for _ in range(8):
        run_once(installation, work)
        clock.advance(seconds=61)
    found = load(installation, job.id)
    assert (found.state, found.error_code, found.attempts) == ("queued", "busy", 8)


def test_faults_of_the_input_end_a_job_at_once_and_tell_its_room(installation: Installation) -> None:
    job, told = put(installation), []

    def work(_run: JobRun) -> None:
        raise InvalidInputError("row 3 is no row")

    run_once(installation, work, lambda _ctx, ended, code: told.append((ended.id, code)))
    assert load(installation, job.id).state == "dead"
    assert told == [(job.id, "invalid_input")]
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        assert jobs.job_view(ctx, ctx.session.get_one(Job, job.id)).error == "row 3 is no row"


def test_unexpected_faults_are_tried_again_with_growing_waits_and_then_end(
    installation: Installation, clock: Clock
) -> None:
    job, waits = put(installation), []

    def work(_run: JobRun) -> None:
        raise ZeroDivisionError

    for _ in range(5):
        clock.stop()
        run_once(installation, work)
        found = load(installation, job.id)
        if found.state == "queued":
            waits.append(round((found.run_after - clock()) / dt.timedelta(seconds=1)))
        clock.advance(seconds=61)
    assert waits == [2, 4, 8, 16]
    assert load(installation, job.id).state == "dead"


def test_a_queued_job_that_is_cancelled_never_runs(installation: Installation) -> None:
    job = put(installation)
    with installation.unit_of_work(SYSTEM) as ctx:
        jobs.cancel(ctx, job.id)
    run_once(installation, lambda _run: pytest.fail("it ran"))
    assert load(installation, job.id).state == "cancelled"
    with installation.unit_of_work(SYSTEM) as ctx, pytest.raises(ConflictError, match="ended already"):
        jobs.cancel(ctx, job.id)


def test_a_running_job_that_is_cancelled_stops_at_its_next_report(installation: Installation) -> None:
    job = put(installation)

    def work(run: JobRun) -> None:
        with installation.unit_of_work(SYSTEM) as ctx:
            jobs.cancel(ctx, job.id)
        with pytest.raises(JobCancelledError):
            run.progress(1, 2)
        raise JobCancelledError("stopped")

    run_once(installation, work)
    found = load(installation, job.id)
    assert (found.state, found.done_units, found.total_units) == ("cancelled", 1, 2)
