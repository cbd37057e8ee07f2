"""The compiled inner loops: WebAssembly made from the C beside it, run by wasmtime with its own memory and nothing else.

`Kernel()` is one instance, for one thread at a time. Arrays are put into its memory and taken out again; a call lets other threads run. A
fault in the C stays in that memory: it can make a call fail, and reaches nothing of the process around it.
"""

import atexit
import weakref
from functools import cache
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import numpy as np
import wasmtime

#: What the kernel says when it has no answer, or nothing in a place (kernel.h).
NONE = 0xFFFFFFFF
_PAGE = 65536
#: Address space for one instance. The usual four GiB with a guard behind it would be above a child's limit; instead
#: every access is checked in code.
_RESERVED = 128 * 1024 * 1024
_ALIGNED = 16


class KernelFullError(MemoryError):
    """The work needs more memory than an instance has: less of it at once may fit."""


_compiling = Lock()


def prepare() -> None:
    """Begins to compile beside other work."""
    if not _compiled.cache_info().currsize:
        Thread(target=_module, daemon=True).start()


def _module() -> tuple[wasmtime.Engine, wasmtime.Module]:
    with _compiling:
        return _compiled()


@cache
def _compiled() -> tuple[wasmtime.Engine, wasmtime.Module]:
    config = wasmtime.Config()
    config.memory_reservation = _RESERVED
    config.memory_reservation_for_growth = 0
    config.memory_guard_size = 0
    config.memory_may_move = False
    config.signals_based_traps = False
    config.parallel_compilation = False
    engine = wasmtime.Engine(config)
    return engine, wasmtime.Module(engine, Path(__file__).with_name("kernel.wasm").read_bytes())


_instances: "weakref.WeakSet[Kernel]" = weakref.WeakSet()


@atexit.register
def _end() -> None:
    """Before the interpreter takes its modules apart, for wasmtime's own clean-up needs them."""
    for kernel in list(_instances):
        kernel.__dict__.clear()
    _compiled.cache_clear()


class Kernel:
    """One instance: functions by name, and memory given out in order and taken back down to a mark."""

    def __init__(self) -> None:
        _instances.add(self)
        engine, module = _module()
        self._store = wasmtime.Store(engine)
        exports = wasmtime.Instance(self._store, module, []).exports(self._store)
        self._functions = {name: exports[name] for name in exports}
        memory = exports["memory"]
        assert isinstance(memory, wasmtime.Memory)  # noqa: S101 - our own module
        self._memory = memory
        #: Where free memory begins, at first and now.
        self.base = self.mark = int(exports["__heap_base"].value(self._store))

    def copy(self) -> "Kernel":
        """Another instance that holds all that this one does, at the same addresses."""
        other = Kernel()
        other.reserve(self.mark - other.mark)
        other.view(0, self.mark, np.uint8)[:] = self.view(0, self.mark, np.uint8)
        other.mark = self.mark
        return other

    def call(self, name: str, *arguments: int) -> int:
        """Calls an exported function."""
        return self._functions[name](self._store, *arguments) or 0

    def reserve(self, size: int) -> int:
        """Room for `size` bytes, as an address; whoever sets `mark` back gives it up.

        Raises:
            KernelFullError: the instance's address space is used up.
        """
        start = -(-self.mark // _ALIGNED) * _ALIGNED
        self.mark = start + size
        missing = self.mark + _ALIGNED - self._memory.data_len(self._store)
        if missing > 0:
            if self.mark > _RESERVED - _PAGE:
                raise KernelFullError("the kernel's memory is used up")
            self._memory.grow(self._store, -(-missing // _PAGE) + 64)
        return start

    def put(self, data: bytes | np.ndarray) -> int:
        """Copies bytes or an array in; its address."""
        array = np.frombuffer(data, np.uint8) if isinstance(data, bytes) else data
        start = self.reserve(array.nbytes)
        self.view(start, len(array), array.dtype)[:] = array
        return start

    def view(self, start: int, count: int, kind: Any) -> np.ndarray:
        """An array over the instance's own memory; valid until the next `reserve`."""
        dtype = np.dtype(kind)
        address = self._memory.get_buffer_ptr(self._store, count * dtype.itemsize, start)
        return np.frombuffer(address, dtype)
