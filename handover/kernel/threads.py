"""Work on blocks of one stream by several threads, each with an instance of the kernel; results in the order of the blocks."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from queue import SimpleQueue
from typing import TypeVar

Worker = TypeVar("Worker")
Block = TypeVar("Block")
Result = TypeVar("Result")

#: Blocks under way beside one for each thread, so that none waits for the reader.
_AHEAD = 2


class TornBlockError(Exception):
    """A block that does not end where a record does: neither can the blocks behind it be read alone."""


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(
    work: Callable[[Worker, Block], Result],
    blocks: Iterable[Block],
    make: Callable[[Worker | None], Worker],
    otherwise: Callable[[Iterator[Block]], Iterator[Result]],
    *,
    caller_works: bool = False,
) -> Iterator[Result]:
    """`work(worker, block)` for every block; `make` gives each thread its worker, and is given the one before. An error comes where its result would.

    A core is left to a caller that has much to do with each result.

    When a block meets `TornBlockError`, `otherwise` gets it and all that follow.
    """
    count = max(1, cores() - caller_works)
    workers: SimpleQueue[Worker] = SimpleQueue()
    worker: Worker | None = None
    for _ in range(count):
        worker = make(worker)
        workers.put(worker)

    def run(block: Block) -> Result:
        mine = workers.get()
        try:
            return work(mine, block)
        finally:
            workers.put(mine)

    source = iter(blocks)
    waiting: deque[tuple[Block, Future[Result]]] = deque()
    pool = ThreadPoolExecutor(count)
    try:
        for block in source:
            waiting.append((block, pool.submit(run, block)))
            if len(waiting) >= count + _AHEAD:
                yield waiting[0][1].result()
                waiting.popleft()
        while waiting:
            yield waiting[0][1].result()
            waiting.popleft()
    except TornBlockError:
        yield from otherwise(chain([block for block, _ in waiting], source))
    finally:
        pool.shutdown(cancel_futures=True)
