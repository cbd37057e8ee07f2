"""A child that misbehaves as its first line of input asks; run by the sandbox tests."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from handover.sandbox.frames import read_stream


def main() -> None:
    act, _, argument = sys.stdin.buffer.readline().decode().strip().partition(" ")
    ACTS[act](argument)


def echo(_: str) -> None:
    while piece := sys.stdin.buffer.read1(65536):
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def streams(_: str) -> None:
    for _stream in range(2):
        sys.stdout.buffer.writelines(read_stream(sys.stdin.buffer))
    sys.stdout.buffer.flush()


def flood(_: str) -> None:
    while True:
        os.write(1, b"x" * 65536)


def hog(_: str) -> None:
    kept = []
    while True:
        kept.append(bytearray(16 << 20))


def kernels(argument: str) -> None:
    from handover.kernel import Kernel, _has_room

    made = [Kernel() for _ in range(int(argument))]
    print(_has_room(), len(made), made[-1].call("is_utf8", made[-1].put(b"plain text" * 4), 10))


def spin(_: str) -> None:
    while True:
        pass


def sleep(_: str) -> None:
    if os.fork() == 0:
        time.sleep(600)
    time.sleep(600)


def leak(argument: str) -> None:
    raise ValueError(f"cannot read the identity number {argument}")


def abort(_: str) -> None:
    os.abort()


def connect(argument: str) -> None:
    attempt(lambda: socket.create_connection(("127.0.0.1", int(argument)), 1).close())


def datagram(argument: str) -> None:
    attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", int(argument))))


def execute(_: str) -> None:
    attempt(lambda: subprocess.run(["/bin/true"], check=True))


def read(argument: str) -> None:
    attempt(lambda: Path(argument).read_bytes())


def write(argument: str) -> None:
    attempt(lambda: Path(argument).write_bytes(b"x"))


def environment(_: str) -> None:
    print(sorted(os.environ), Path.cwd(), sys.flags.isolated, [f for f in range(3, 64) if is_open(f)])


def progress(_: str) -> None:
    os.write(2, b'{"progress":{"records":1}}\n{"progress":{"reco')
    time.sleep(0.05)
    os.write(2, b'rds":2}}\n')


def attempt(act: object) -> None:
    try:
        act()  # type: ignore[operator]
    except OSError as error:
        print(f"refused {error.errno}")
    else:
        print("done")


def is_open(number: int) -> bool:
    with contextlib.suppress(OSError):
        os.fstat(number)
        return True
    return False


ACTS = {
    "echo": echo, "streams": streams, "flood": flood, "hog": hog, "kernels": kernels, "spin": spin, "sleep": sleep, "leak": leak, "abort": abort,
    "connect": connect, "datagram": datagram, "execute": execute, "read": read, "write": write,
    "environment": environment, "progress": progress,
}  # fmt: skip
