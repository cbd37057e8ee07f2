"""The compiled loops run by the C interface of the library: what they may reach, and what a wrong call gets."""

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from handover.kernel import Kernel

ROOT = Path(__file__).resolve().parents[2]
#: Below the instance's four GiB and far above its memory.
_AWAY = 1 << 31

#: Says whether addresses are reserved or accesses checked, then leaves the memory and goes on working.
_LEAVES = f"""
import resource, sys
limit = int(sys.argv[1])
if limit:
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
import wasmtime
from handover.kernel import Kernel, _has_room
print(_has_room())
kernel = Kernel()
try:
    kernel.call("is_utf8", {_AWAY}, 64)
except wasmtime.Trap:
    print("trap")
print(kernel.call("is_utf8", kernel.put(b"plain" + bytes(16)), 5))
"""


@pytest.mark.parametrize(("limit", "has_room"), [(0, True), (3 << 30, False)])
def test_what_leaves_its_memory_ends_the_call_and_nothing_else(limit: int, has_room: bool) -> None:
    """Both where unused addresses catch it and where the process may not reserve so many."""
    done = subprocess.run(
        [sys.executable, "-c", _LEAVES, str(limit)], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == [str(has_room), "trap", "1"]


def test_a_function_without_a_result_answers_0() -> None:
    kernel = Kernel()
    assert kernel.call("is_utf8", kernel.put(b"\xff" + bytes(16)), 1) == 0
    assert kernel.call("set_today", 20250101) == 0


def test_a_call_with_a_wrong_number_of_arguments_is_refused() -> None:
    with pytest.raises(struct.error):
        Kernel().call("is_utf8", 0)
    with pytest.raises(KeyError):
        Kernel().call("no_such_function")
