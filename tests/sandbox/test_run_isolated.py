"""A child gets bytes, gives bytes, and can do nothing else."""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from handover.sandbox import (
    Limits,
    LocalFile,
    SandboxCrashError,
    SandboxMemoryError,
    SandboxOutputError,
    SandboxTimeoutError,
    run_isolated,
    stream_of,
)

PROBE = "tests.sandbox.probe"
MIB = 1 << 20


def probe(line: str, **limits: float) -> str:
    return run_isolated(PROBE, stdin=line.encode() + b"\n", limits=Limits(**limits)).output.decode().strip()  # type: ignore[arg-type]


def test_more_than_a_pipe_holds_goes_through_both_ways_without_deadlock() -> None:
    body = os.urandom(MIB) * 24
    received: list[bytes] = []

    def chunks() -> Iterator[bytes]:
        yield b"echo\n"
        for start in range(0, len(body), 100_000):
            yield body[start : start + 100_000]

    run_isolated(PROBE, stdin=chunks(), on_output=received.append)
    assert b"".join(received) == body


def test_a_local_file_is_read_by_the_child_itself_and_as_often_as_asked(tmp_path: Path) -> None:
    path, body = tmp_path / "a", os.urandom(3 * MIB + 7)
    path.write_bytes(body)
    received: list[bytes] = []
    with stream_of(LocalFile(path)) as stream:
        frames = [frame for _ in range(2) for frame in stream.frames()]
        assert sum(map(len, frames)) < 100
        run_isolated(PROBE, stdin=[b"streams\n", *frames], descriptors=stream.descriptors, on_output=received.append)
    assert b"".join(received) == body * 2
    assert b"".join(LocalFile(path)()) == body


def test_child_that_never_ends_is_killed_with_its_own_children() -> None:
    started = time.monotonic()
    with pytest.raises(SandboxTimeoutError):
        probe("sleep", wall_seconds=0.6)
    assert time.monotonic() - started < 5
    left = [p for p in Path("/proc").glob("[0-9]*/cmdline") if PROBE.encode() in _read(p)]
    assert left == []


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_processor_time_is_limited() -> None:
    with pytest.raises(SandboxTimeoutError, match="processor time"):
        probe("spin", cpu_seconds=1)


def test_memory_is_limited_and_said_so() -> None:
    with pytest.raises(SandboxMemoryError, match="MiB"):
        probe("hog", memory_bytes=400 * MIB)


def test_memory_that_compiled_loops_only_reserve_does_not_count() -> None:
    """Four GiB for each of two instances a core and two beside them, in a child that may write to a tenth of one."""
    count = 2 * (os.cpu_count() or 1) + 2
    assert probe(f"kernels {count}", memory_bytes=400 * MIB) == f"True {count} 1"


def test_output_is_limited() -> None:
    with pytest.raises(SandboxOutputError):
        probe("flood", output_bytes=3 * MIB)


def test_exception_of_a_child_never_quotes_what_it_read() -> None:
    with pytest.raises(SandboxCrashError) as caught:
        probe("leak 11010519491231002X")
    assert "1101" not in str(caught.value)
    assert "ValueError at " in str(caught.value)


def test_native_crash_is_reported_as_a_signal() -> None:
    with pytest.raises(SandboxCrashError, match="signal 6"):
        probe("abort")


def test_child_that_does_not_exist_is_a_crash() -> None:
    with pytest.raises(SandboxCrashError, match="ModuleNotFoundError"):
        run_isolated("handover.sandbox.no_such_module")


def test_error_of_the_source_goes_on_and_ends_the_child() -> None:
    def broken() -> Iterator[bytes]:
        yield b"echo\n"
        raise OSError("the vault is gone")

    with pytest.raises(OSError, match="the vault is gone"):
        run_isolated(PROBE, stdin=broken())


def test_child_sees_no_environment_no_files_of_ours_and_isolated_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDOVER_SECRET", "x")
    with Path("/etc/hostname").open("rb") as kept:
        os.set_inheritable(kept.fileno(), True)
        assert probe("environment") == "['LC_ALL', 'OPENBLAS_NUM_THREADS', 'TZ'] / 1 []"


def test_protections_that_are_reported_hold(tmp_path: Path) -> None:
    secret = tmp_path / "master.key"
    secret.write_bytes(b"key")
    protections = run_isolated(PROBE, stdin=b"echo\n").protections
    assert protections.no_new_privileges
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if protections.no_network:
            assert probe(f"connect {port}").startswith("refused")
            assert probe(f"datagram {port}").startswith("refused")
        elif protections.landlock >= 4:
            assert probe(f"connect {port}").startswith("refused")
    if protections.seccomp:
        assert probe("execute").startswith("refused")
    if protections.landlock:
        assert probe(f"read {secret}").startswith("refused")
        assert probe(f"write {tmp_path / 'new'}").startswith("refused")
    assert probe(f"write {tmp_path / 'new'}") if not protections.landlock else not (tmp_path / "new").exists()


def test_folder_named_in_the_limits_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "font").write_bytes(b"glyphs")
    line = f"read {tmp_path / 'font'}\n".encode()
    assert run_isolated(PROBE, stdin=line, limits=Limits(readable=(str(tmp_path),))).output.strip() == b"done"


def test_progress_lines_arrive_whole() -> None:
    seen: list[object] = []
    run_isolated(PROBE, stdin=b"progress\n", on_progress=seen.append)
    assert seen == [{"records": 1}, {"records": 2}]
