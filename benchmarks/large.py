"""One record set of any size on its shortest way through the HTTP API: uploaded, inspected, packed, attested, opened.

Each step's time is printed, and the peak memory of the web process, of the worker and of the parsing children. Nothing
is left out of what the gates of a closing package ask for; redaction belongs to due diligence and is no part of this.
"""

import os
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import msgspec

from handover.crypto.age import generate_identity
from handover.demo import stages
from handover.demo.cast import Cast, gather, open_case
from handover.demo.play import close_the_deal
from handover.demo.records import Customer, customers
from handover.demo.server import Running

#: A step of the largest case may take this long.
_PATIENCE = 3600.0
_NOTES = (
    "客户来电反映设备运行时有异响，已指导清洁滤网并重启，约定三日后回访",
    "来电询问保修期限，已核对购买记录，告知剩余保修时间和上门收费标准",
    "客户对上次维修不满意，要求更换工程师，已登记并转交区域主管处理",
    "The customer asked for a new appointment because nobody was at home when the engineer came",
    "快递外箱破损，客户拒收，已联系仓库重新发货，并致歉",
)
_KINDS = ("催单", "维修", "退货", "回访", "安装")


class Finished(msgspec.Struct):
    """What was measured: bytes, seconds by step, peak resident bytes by process, and the package's row."""

    size: int
    records: int
    seconds: dict[str, float]
    peaks: dict[str, int]
    package: dict[str, object]


def carry(server: Running, folder: Path, size: int, persons: int, say: Callable[[str], None]) -> Finished:
    """Carries `size` bytes of service notes about so many persons to a package that its recipient opened."""
    people, seconds = customers(persons, 7), dict[str, float]()

    @contextmanager
    def step(name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        seconds[name] = time.monotonic() - started
        say(f"   {name:10} {seconds[name]:7.1f} s {size / seconds[name] / 1e6:7.1f} MB/s  {memory.text()}")

    source, target, identity = folder / "service-notes.csv", folder / "closing.age", generate_identity()
    records = write_notes(source, people, size)
    size = source.stat().st_size
    cast = wait_patiently(server)
    with Memory(server.server.process.pid) as memory:
        with step("upload"):
            upload = cast.seller_admin.upload(cast.case_id, source)
        with step("inspect"):
            row = stages.add_record_set(cast, source, upload)
            cast.custodian.wait(f"/record-sets/{row['id']}", "classified", refuse=("refused",))
        with step("agree"):
            stages.approve_inventory(cast, [row])
            recipient, _ = stages.verify_recipient(cast, "recipient", "winner", identity, mistype=False)
            cast.lead.post(f"/parties/{cast.parties['winner']['id']}/standing", {"standing": "won"})
            stages.tell_and_ask(cast, [person.number for person in people])
            close_the_deal(cast)
        with step("build"):
            package = stages.build_package(cast, "closing", recipient, None)
        with step("release"):
            stages.approve_release(cast, package)
            cast.lead.move("packages", package["id"], "release")
            delivery = stages.delivery_of(cast.recipient, cast.case_id, package["id"])
        with step("download"):
            cast.recipient.download(f"/deliveries/{delivery['id']}/content", target)
    with step("open"):
        _open(target, identity, folder, server.data_dir / "trust")
    return Finished(size, records, seconds, dict(memory.peaks), package)


def write_notes(path: Path, people: list[Customer], size: int) -> int:
    """Service notes of these customers, at least `size` bytes; every row is another one. Returns how many."""
    count = 0
    with path.open("wb") as out:
        out.write("客户编号,姓名,手机,工单号,日期,类型,金额,备注\r\n".encode())
        while out.tell() < size:
            first, count = count, count + len(people)
            rows = [_row(number, person) for number, person in enumerate(people, first)]
            out.write("".join(rows).encode())
    return count


def _row(number: int, person: Customer) -> str:
    more = f"，请拨打{person.mobile}" if number % 5 == 0 else ""
    return (
        f"{person.number},{person.name},{person.mobile},SO{240000000000 + number},"
        f"2025-{number % 12 + 1:02d}-{number % 28 + 1:02d},{_KINDS[number % 5]},{number * 37 % 90000 / 100:.2f},"
        f"{_NOTES[number % 7 % 5]}{more}。第{number % 97}次服务\r\n"
    )


def wait_patiently(server: Running) -> Cast:
    """A case in inventory, and people who can wait."""
    cast = gather(server.address, server.admin)
    for person in cast.people.values():
        person.patience = _PATIENCE
    open_case(cast, "asset_transfer")
    cast.lead.move("cases", cast.case_id, "open")
    stages.sign_ndas(cast)
    return cast


def _open(package: Path, identity: str, folder: Path, trust: Path) -> None:
    """Opens the package as its recipient would; the command verifies signatures and every byte."""
    key = folder / "identity.txt"
    key.write_text(identity + "\n")
    arguments = ["-i", str(key), "-o", str(folder / "opened"), "--trust", str(trust)]
    command = [sys.executable, "-m", "handover", "package", "open", str(package), *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


class Watcher(ABC):
    """Looks again and again, in a thread of its own, while the block runs."""

    #: Between two looks.
    seconds: float

    def __init__(self) -> None:
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(self.seconds):
            self.look()

    @abstractmethod
    def look(self) -> None:
        """Looks once."""


class Memory(Watcher):
    """Watches the peak resident memory of a server, its worker (and others) and the workers' children (`VmHWM` of each)."""

    seconds = 0.05

    def __init__(self, server: int, *workers: int) -> None:
        super().__init__()
        self._server, self._workers, self.peaks = server, workers, Counter[str]()

    def text(self) -> str:
        return ", ".join(f"{name} {peak >> 20} MiB" for name, peak in self.peaks.items())

    def look(self) -> None:
        """Notes who has more than before."""
        self._note("web", self._server)
        for worker in (*children(self._server), *self._workers):
            self._note("worker", worker)
            for child in children(worker):
                # Between fork and exec a child is still the worker's own image.
                if _command(child) != _command(worker):
                    self._note("child", child)

    def _note(self, name: str, process: int) -> None:
        self.peaks[name] = max(self.peaks[name], peak_of(process))


def peak_of(process: int) -> int:
    """The most memory that a process ever held, in bytes; 0 once it is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM")), 0)


def _command(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def children(process: int) -> list[int]:
    """Processes that any thread of this one started."""
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            found += map(int, task.read_text().split())
        except OSError:
            continue
    return found


def plain_write(path: Path, size: int) -> float:
    """Seconds that the same bytes take without any of this, in pieces of 8 MiB each made durable."""
    block = os.urandom(8 << 20)
    started = time.monotonic()
    with path.open("wb") as out:
        for _ in range(size // len(block)):
            out.write(block)
            out.flush()
            os.fsync(out.fileno())
    return time.monotonic() - started
