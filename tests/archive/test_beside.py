"""Two processes over many small files: what comes out is the same, and whichever of them ends early, nothing is left.

Each test is a program of its own, since one with threads, as a test run may have them, does not fork. Its output ends only when
all its processes have.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from handover.crypto.age import recipient_of
from tests.archive.samples import IDENTITY

ROOT = Path(__file__).parents[2]
COUNT = 3_000
#: Forks for small packages too, and says how often.
BEGIN = """
import os, signal, sys
from pathlib import Path
from handover.archive import beside, open as opening, packing, reading, standalone, unpacking
from handover.archive.errors import ArchiveError
folder, key, to = Path(sys.argv[1]), *sys.argv[2:]
standalone._WORTH_A_PROCESS = opening._WORTH_A_PROCESS = 0
beside.THREADS = 2
parent, forks, fork = os.getpid(), [], os.fork
os.fork = lambda: forks.append(1) or fork()
def seal(): standalone.seal_paths([folder / "in"], [to], folder / "p.age")
def unpack(): opening.open_package(folder / "p.age", [key], folder / "out")
def in_child(kind, name, act):
    real = getattr(kind, name)
    def acting(self, request):
        if os.getpid() != parent: act()
        return real(self, request)
    setattr(kind, name, acting)
def die(): os.kill(os.getpid(), signal.SIGKILL)
def attempt(work):
    try: work()
    except ArchiveError as error: print(error.code, error.details.get("path"))
    print(len(forks), sorted(path.name for path in folder.iterdir()))
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems work in one process")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(COUNT):
        file = tmp_path / "in" / str(number // 1_000) / f"{number:04}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"%04d" % number * (number % 500))
    return tmp_path


def _run(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", BEGIN + program, str(folder), IDENTITY, recipient_of(IDENTITY)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)


def test_files_that_two_processes_packed_and_unpacked_are_the_same(folder: Path) -> None:
    done = _run(folder, "attempt(seal); attempt(unpack)")
    assert done.stdout.splitlines() == ["1 ['in', 'p.age']", "2 ['in', 'out', 'p.age']"], done.stderr
    for file in (folder / "in").rglob("*.txt"):
        assert (folder / "out" / "files" / file.relative_to(folder)).read_bytes() == file.read_bytes()


def test_with_threads_about_one_process_does_it_all(folder: Path) -> None:
    thread = "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()"
    done = _run(folder, f"{thread}; attempt(seal); attempt(unpack)")
    assert done.stdout.splitlines() == ["0 ['in', 'p.age']", "0 ['in', 'out', 'p.age']"], done.stderr


@pytest.mark.parametrize(
    "change",
    ["odd.write_bytes(b'x')", "odd.unlink()", "odd.unlink(); odd.symlink_to('/etc/hostname')"],
    ids=["changed", "vanished", "a link now"],
)
def test_a_file_that_the_other_process_can_not_pack_is_named(folder: Path, change: str) -> None:
    program = f"""
found = list(standalone.sources_below([folder / "in"]))
standalone.sources_below = lambda _paths: found
odd = folder / "in/1/1033.txt"
{change}
beside.Beside._own = lambda self: None
attempt(seal)
"""
    done = _run(folder, program)
    assert done.stdout.splitlines() == [f"package_source_unusable {folder}/in/1/1033.txt", "1 ['in']"], done.stderr


@pytest.mark.parametrize(
    ("work", "kind", "left"),
    [("seal", "reading.Reading", ["in"]), ("unpack", "unpacking.Writing", ["in", "p.age"])],
)
def test_when_the_other_process_is_killed_nothing_is_left(folder: Path, work: str, kind: str, left: list[str]) -> None:
    if work == "unpack":
        _run(folder, "seal()")
    done = _run(folder, f"in_child({kind}, '__call__', die); attempt({work})")
    assert done.stdout.splitlines() == ["helper_process_ended None", f"1 {left}"], done.stderr


@pytest.mark.parametrize(("work", "kind"), [("seal", "packing.Packing"), ("unpack", "unpacking.Unpacking")])
def test_the_other_process_ends_when_the_first_is_killed(folder: Path, work: str, kind: str) -> None:
    if work == "unpack":
        _run(folder, "seal()")
    done = _run(folder, f"{kind}._take = lambda *_: die()\nattempt({work})")
    assert done.returncode == -9, done.stderr
    assert not (folder / ("out" if work == "unpack" else "p.age")).exists()
