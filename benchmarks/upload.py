"""An upload that is cut again and again, against a plain PUT of the same bytes that hashes and fsyncs.

python benchmarks/upload.py [MiB] [cuts]

Both servers are uvicorn on loopback in processes of their own, both clients this one. The cuts break the connection in
the middle of a piece, at offsets that the server does not know. What arrived is compared by SHA-256, decrypted out of
the sealed segments. Growth of memory is the server's resident size at its peak, less what it was before.
"""

import base64
import contextlib
import hashlib
import http.client
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from handover.demo.cast import gather, open_case
from handover.demo.client import Person
from handover.demo.play import wait_for_documents
from handover.demo.server import Running, running
from handover.demo.stages import sign_ndas

MIB, CUTS = 1024, 10
#: What the browser sends in one request.
_PIECE = 64 << 20
_CHUNK = 1 << 20
_WANTED = 0.6
_FLAT_MIB = 64

_PUT_SERVER = """
import hashlib, os, sys, uvicorn

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    digest, more = hashlib.sha256(), True
    with open(sys.argv[1], "wb") as out:
        while more:
            message = await receive()
            digest.update(message.get("body", b""))
            out.write(message.get("body", b""))
            more = message.get("more_body", False)
        out.flush()
        os.fsync(out.fileno())
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": digest.hexdigest().encode()})

uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_config=None, access_log=False)
"""


def main() -> None:
    mib, cuts = (int(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) > 2 else (MIB, CUTS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "source.csv"
        _write(source, mib << 20)
        plain = _plain_put(folder, source)
        with running(folder / "data") as server:
            seconds, cut, memory, equal = _resumable(server, source, cuts)
    ratio = plain / seconds
    print(f"plain PUT, hashed and fsynced: {mib / plain:7.0f} MiB/s")
    print(f"upload, cut {cut} times:        {mib / seconds:7.0f} MiB/s, {ratio:.0%} of it (wanted: {_WANTED:.0%})")
    print(f"server's memory grew by {memory:.0f} MiB (wanted: at most {_FLAT_MIB})")
    print(f"SHA-256 {'equal' if equal else 'DIFFERENT'}")
    if not equal or ratio < _WANTED or memory > _FLAT_MIB:
        raise SystemExit(1)


def _write(path: Path, size: int) -> None:
    """Bytes that do not compress, read once so that both runs find them in memory."""
    block = os.urandom(8 << 20)
    with path.open("wb") as out:
        for at in range(0, size, len(block)):
            out.write(at.to_bytes(8, "big") + block[8:])
        out.truncate(size)


def _plain_put(folder: Path, source: Path) -> float:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    target = folder / "put"
    server = subprocess.Popen([sys.executable, "-c", _PUT_SERVER, str(target), str(port)])
    try:
        _wait_for(port)
        started = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", port, blocksize=_CHUNK)
        with source.open("rb") as body:
            connection.request("PUT", "/", body=body, headers={"Content-Length": str(source.stat().st_size)})
        said = connection.getresponse().read().decode()
        seconds = time.monotonic() - started
    finally:
        server.terminate()
        server.wait(timeout=30)
    if said != _sha256(source):
        raise SystemExit("the plain PUT did not arrive whole")
    target.unlink()
    return seconds


def _wait_for(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise SystemExit("the plain server did not start")


def _resumable(server: Running, source: Path, cuts: int) -> tuple[float, int, float, bool]:
    cast = gather(server.address, server.admin)
    open_case(cast, "asset_transfer")
    cast.lead.move("cases", cast.case_id, "open")
    sign_ndas(cast)
    wait_for_documents(cast)
    with _peak(server.server.process.pid) as memory:
        started = time.monotonic()
        upload, cut = _upload(server.address, cast.seller_admin, cast.case_id, source, cuts)
        seconds = time.monotonic() - started
    return seconds, cut, memory[1] - memory[0], _arrived(server, upload) == _sha256(source)


def _upload(address: str, person: Person, case_id: str, source: Path, cuts: int) -> tuple[str, int]:
    """Uploads in pieces and breaks the connection in the middle of some; returns the upload's id and how many."""
    size = source.stat().st_size
    marks = sorted(random.sample(range(_CHUNK, size - _CHUNK), cuts))
    parts = urlsplit(address)
    headers = {"Authorization": person.authorization, "Tus-Resumable": "1.0.0"}
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, blocksize=_CHUNK)
    meta = f"case_id {_base64(case_id)},filename {_base64(source.name)}"
    connection.request(
        "POST", "/api/v1/uploads", headers={**headers, "Upload-Length": str(size), "Upload-Metadata": meta}
    )
    answer = connection.getresponse()
    answer.read()
    place, offset, cut = answer.headers["Location"], 0, 0
    patch = {**headers, "Content-Type": "application/offset+octet-stream"}
    with source.open("rb") as body:
        while offset < size:
            end = min(offset + _PIECE, size)
            broken = marks.pop(0) if marks and marks[0] < end else None
            if broken is not None and broken <= offset:
                continue
            sent = _send(connection, place, {**patch, "Upload-Offset": str(offset)}, body, offset, end, broken)
            cut += broken is not None
            if sent is None:
                connection.close()
                offset = _ask(connection, place, headers)
            else:
                offset = sent
    connection.close()
    return place.rsplit("/", 1)[1], cut


def _send(
    connection: http.client.HTTPConnection,
    place: str,
    headers: dict[str, str],
    body: "object",
    start: int,
    end: int,
    broken: int | None,
) -> int | None:
    """Sends [start, end), or breaks off at `broken`; the new offset, or None when the server is to be asked."""
    connection.putrequest("PATCH", place)
    for name, value in {**headers, "Content-Length": str(end - start)}.items():
        connection.putheader(name, value)
    connection.endheaders()
    body.seek(start)  # type: ignore[attr-defined]
    left = (broken or end) - start
    while left:
        data = body.read(min(_CHUNK, left))  # type: ignore[attr-defined]
        connection.send(data)
        left -= len(data)
    if broken is not None:
        return None
    answer = connection.getresponse()
    answer.read()
    return int(answer.headers["Upload-Offset"]) if answer.status == 204 else None


def _ask(connection: http.client.HTTPConnection, place: str, headers: dict[str, str]) -> int:
    connection.request("HEAD", place, headers=headers)
    answer = connection.getresponse()
    answer.read()
    return int(answer.headers["Upload-Offset"])


@contextlib.contextmanager
def _peak(pid: int) -> Iterator[list[float]]:
    """[before, peak] of a process's resident memory in MiB."""
    found = [_resident(pid)] * 2
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.05):
            found[1] = max(found[1], _resident(pid))

    thread = threading.Thread(target=watch)
    thread.start()
    yield found
    stop.set()
    thread.join()


def _resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _arrived(server: Running, upload: str) -> str:
    from handover.app import open_installation
    from handover.context import SYSTEM
    from handover.inventory.content import raw_chunks
    from handover.inventory.models import Upload
    from handover.inventory.uploads import upload_key
    from handover.settings import load
    from handover.vault import SealedBlob, Vault

    installation = open_installation(load({k: v for k, v in server.environment.items() if k.startswith("HANDOVER_")}))
    digest = hashlib.sha256()
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        row = ctx.session.get_one(Upload, uuid.UUID(upload))
        for segment in row.segments:
            for chunk in raw_chunks(installation.get(Vault), upload_key(row.id), msgspec.convert(segment, SealedBlob)):
                digest.update(chunk)
    installation.database.close()
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


if __name__ == "__main__":
    main()
