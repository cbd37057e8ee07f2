"""Reading and writing files by offset, from several threads; where the system lacks it (Windows), one thread at a time."""

import os
import threading

#: Flags that not every system has.
BINARY: int = getattr(os, "O_BINARY", 0)
NOFOLLOW: int = getattr(os, "O_NOFOLLOW", 0)

_moving = threading.Lock()
#: Nobody looks at what is in it.
_one_more = bytearray(1)


def read_at(file: int, target: memoryview, offset: int) -> int:
    """Fills `target`; returns how much there was, less only at the end of the file."""
    done = 0
    while done < len(target) and (size := _read(file, target[done:], offset + done)):
        done += size
    return done


def write_at(file: int, data: memoryview, offset: int) -> None:
    """Writes all of `data`."""
    while data:
        done = _write(file, data, offset)
        data, offset = data[done:], offset + done


def write_all(file: int, data: bytes | memoryview) -> int:
    """Writes all of `data` where the file stands; returns its size."""
    done = 0
    while done < len(data):
        done += os.write(file, data[done:] if done else data)
    return done


if hasattr(os, "preadv") and hasattr(os, "pwrite"):

    def read_into(file: int, target: memoryview) -> int:
        """Reads on; returns how much there was, 0 at the end of the file."""
        return os.readv(file, [target])

    def read_all(file: int, target: memoryview) -> bool:
        """Fills `target` with what is left of the file; whether that is exactly as long."""
        return os.readv(file, [target, _one_more]) == len(target)

    def _read(file: int, target: memoryview, offset: int) -> int:
        return os.preadv(file, [target], offset)

    def _write(file: int, data: memoryview, offset: int) -> int:
        return os.pwrite(file, data, offset)

else:

    def read_into(file: int, target: memoryview) -> int:
        """Reads on; returns how much there was, 0 at the end of the file."""
        data = os.read(file, len(target))
        target[: len(data)] = data
        return len(data)

    def read_all(file: int, target: memoryview) -> bool:
        """Fills `target` with what is left of the file; whether that is exactly as long."""
        data = os.read(file, len(target) + 1)
        target[: len(data)] = data[: len(target)]
        return len(data) == len(target)

    def _read(file: int, target: memoryview, offset: int) -> int:
        with _moving:
            before = os.lseek(file, 0, os.SEEK_CUR)  # others may read on from there
            os.lseek(file, offset, os.SEEK_SET)
            data = os.read(file, len(target))
            os.lseek(file, before, os.SEEK_SET)
        target[: len(data)] = data
        return len(data)

    def _write(file: int, data: memoryview, offset: int) -> int:
        with _moving:
            os.lseek(file, offset, os.SEEK_SET)
            return os.write(file, data)
