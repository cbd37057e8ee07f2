"""The compiled inner loops: WebAssembly made from the C beside it, run by wasmtime with its own memory and nothing else.

`Kernel()` is one instance, for one thread at a time. Arrays are put into its memory and taken out again; a call lets other threads run. A
fault in the C stays in that memory: it can make a call fail, and reaches nothing of the process around it.
"""

import atexit
import ctypes
import resource
import struct
import weakref
from functools import cache
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import numpy as np
import wasmtime
from wasmtime import _bindings as _c

from handover.kernel.threads import cores

#: What the kernel says when it has no answer, or nothing in a place (kernel.h).
NONE = 0xFFFFFFFF
_PAGE = 65536
#: What an instance may use.
_MOST_MEMORY = 128 * 1024 * 1024
#: Address space for one instance: what its 32-bit addresses and the offsets in its code reach, so that no access need be checked. Where
#: the process may not have so much, every access is checked in code.
_REACH, _GUARD = 4 << 30, 32 << 20
#: For each core and beside them; two passes over a file have three at once on two cores.
_INSTANCES = 4
_ALIGNED = 16
_MOST_ARGUMENTS = 12
#: One argument as the library wants it, in 16 bytes.
_ARGUMENT = "I12x"


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


def _has_room() -> bool:
    allowed = resource.getrlimit(resource.RLIMIT_AS)[0]
    return allowed == resource.RLIM_INFINITY or allowed >= (cores() + 1) * _INSTANCES * (_REACH + _GUARD)


@cache
def _compiled() -> tuple[wasmtime.Engine, wasmtime.Module]:
    config = wasmtime.Config()
    config.signals_based_traps = reaches = _has_room()
    config.memory_reservation, config.memory_guard_size = (_REACH, _GUARD) if reaches else (_MOST_MEMORY, 0)
    config.memory_reservation_for_growth = 0
    config.memory_may_move = False
    config.parallel_compilation = False
    engine = wasmtime.Engine(config)
    return engine, wasmtime.Module(engine, Path(__file__).with_name("kernel.wasm").read_bytes())


@cache
def _signatures() -> list[tuple[str, struct.Struct, bool]]:
    """Of each function whose arguments and result are numbers of 32 bits: its name, the form of its arguments, whether it returns something."""
    found = []
    for export in _module()[1].exports:
        if isinstance(export.type, wasmtime.FuncType):
            arguments, results = export.type.params, export.type.results
            if {str(number) for number in (*arguments, *results)} <= {"i32"}:
                found.append((export.name, struct.Struct("=" + _ARGUMENT * len(arguments)), bool(results)))
    return found


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
        memory, top = exports["memory"], exports["__heap_base"]
        assert isinstance(memory, wasmtime.Memory)  # noqa: S101 - our own module
        assert isinstance(top, wasmtime.Global)  # noqa: S101 - our own module
        self._memory = memory
        self._look()
        self._functions = {
            name: (ctypes.byref(exports[name]._func), packed, answers)  # noqa: SLF001 - the C interface takes it
            for name, packed, answers in _signatures()
        }
        self._context = self._store._context()  # noqa: SLF001 - the C interface takes it
        self._numbers = (_c.wasmtime_val_raw_t * _MOST_ARGUMENTS)()
        self._trap = ctypes.POINTER(_c.wasm_trap_t)()
        #: Where free memory begins, at first and now.
        self.base = self.mark = int(top.value(self._store))

    def copy(self) -> "Kernel":
        """Another instance that holds all that this one does, at the same addresses."""
        other = Kernel()
        other.reserve(self.mark - other.mark)
        other.view(0, self.mark, np.uint8)[:] = self.view(0, self.mark, np.uint8)
        other.mark = self.mark
        return other

    def call(self, name: str, *arguments: int) -> int:
        """Calls an exported function; 0 when it returns nothing.

        By the library's C interface: its `Func` converts one argument at a time, in a hundred calls that each hand the interpreter to
        another thread.
        """
        function, packed, answers = self._functions[name]
        packed.pack_into(self._numbers, 0, *arguments)
        error = _c.wasmtime_func_call_unchecked(
            self._context, function, self._numbers, _MOST_ARGUMENTS, ctypes.byref(self._trap)
        )
        if error:
            raise wasmtime.WasmtimeError._from_ptr(error)  # noqa: SLF001 - as `Func` does
        if self._trap:
            trap, self._trap = self._trap, ctypes.POINTER(_c.wasm_trap_t)()
            raise wasmtime.Trap._from_ptr(trap)  # noqa: SLF001 - as `Func` does
        return self._numbers[0].i32 if answers else 0

    def reserve(self, size: int) -> int:
        """Room for `size` bytes, as an address; whoever sets `mark` back gives it up.

        Raises:
            KernelFullError: the instance's address space is used up.
        """
        start = -(-self.mark // _ALIGNED) * _ALIGNED
        self.mark = start + size
        missing = self.mark + _ALIGNED - len(self._bytes)
        if missing > 0:
            if self.mark > _MOST_MEMORY - _PAGE:
                raise KernelFullError("the kernel's memory is used up")
            self._memory.grow(self._store, -(-missing // _PAGE) + 64)
            self._look()
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
        return self._bytes[start : start + count * dtype.itemsize].view(dtype)

    def _look(self) -> None:
        """After the memory has grown; it never moves."""
        self._bytes = np.frombuffer(self._memory.get_buffer_ptr(self._store), np.uint8)
