"""What a store in a bucket owes beyond the contract: parts, conditions, broken ways, dead writers on other machines."""

import contextlib
import datetime as dt
import itertools
import logging
import random
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from handover.documents import ca
from handover.errors import HandoverError, VerificationError
from handover.settings import SettingsError
from handover.storage import (
    BlobExistsError,
    ForeignStorageError,
    StorageUnavailableError,
    VersionsKeptError,
    new_blob_key,
    open_storage,
)
from handover.storage.s3 import S3Storage, writing
from handover.storage.s3.address import Address
from handover.storage.s3.bucket import Bucket
from tests.bucket import SECRET, STRANGER, Server
from tests.storage.faults import Fault, Way, way_to

pytestmark = pytest.mark.services
MIB = 1 << 20
NOW = dt.timedelta(0)


@pytest.fixture
def url(s3: Server) -> str:
    return s3.url()


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of the smallest size that S3 allows."""
    monkeypatch.setattr(writing, "PART_BYTES", 5 * MIB)
    monkeypatch.setattr(writing, "_ALONE_BYTES", 5 * MIB)


@pytest.fixture
def way(s3: Server) -> Iterator[Way]:
    with way_to(s3.endpoint) as made:
        yield made


@pytest.fixture
def unknown_tls(tmp_path: Path) -> Iterator[str]:
    """A server whose certificate is its own."""
    own = ca.create_authority("nobody's", demo=True)
    (tmp_path / "cert.pem").write_bytes(own.certificate_pem)
    (tmp_path / "key.pem").write_bytes(own.private_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with way_to("http://127.0.0.1:1") as way:
        way.socket = context.wrap_socket(way.socket, server_side=True)
        yield f"https://localhost:{way.server_address[1]}"


def at(url: str, tmp_path: Path, abandoned_after: dt.timedelta = NOW) -> S3Storage:
    """The store, to which every writer is dead that is not heard at this very moment."""
    return S3Storage(Bucket(Address.parse(url)), tmp_path / "spool", abandoned_after)


def over(way: Way, url: str, tmp_path: Path) -> S3Storage:
    return at(address_over(way, url), tmp_path)


def address_over(way: Way, url: str) -> str:
    return f"{url.partition('?')[0]}?endpoint={way.endpoint}"


def put(storage: S3Storage, key: str, data: bytes) -> None:
    with storage.create(key) as target:
        target.write(data)


def get(storage: S3Storage, key: str) -> bytes:
    with storage.open(key) as source:
        return source.read()


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


@pytest.mark.parametrize("size", [5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 10 * MIB, 17 * MIB])
def test_a_blob_comes_back_whole_however_its_size_falls_into_parts(
    s3: Server, url: str, tmp_path: Path, small_parts: None, size: int
) -> None:
    storage, key, data = at(url, tmp_path), new_blob_key(), noise(size)
    with storage.create(key) as target:
        for place in range(0, size, 1_000_003):
            target.write(data[place : place + 1_000_003])
    assert storage.size(key) == size
    assert get(storage, key) == data
    assert s3.uploads(url) == []


def test_a_large_blob_is_written_once(s3: Server, url: str, tmp_path: Path, small_parts: None) -> None:
    storage, key = at(url, tmp_path), new_blob_key()
    put(storage, key, first := noise(6 * MIB))
    with pytest.raises(BlobExistsError):
        put(storage, key, noise(7 * MIB))
    assert get(storage, key) == first
    assert s3.uploads(url) == []


def test_a_large_blob_that_is_broken_off_leaves_no_part(
    s3: Server, url: str, tmp_path: Path, small_parts: None
) -> None:
    storage, key = at(url, tmp_path), new_blob_key()

    def broken_off() -> None:
        with storage.create(key) as target:
            target.write(noise(12 * MIB))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken_off()
    assert s3.uploads(url) == []
    assert s3.names(url) == []


def test_writing_holds_a_few_parts_in_memory_whatever_the_blob(url: str, tmp_path: Path) -> None:
    code = """import resource, sys
from handover.storage import open_storage
storage = open_storage(sys.argv[1])
block = bytes(1 << 20)
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
with storage.create("ab/" + "0" * 30) as target: target.write(block)
before = peak()
with storage.create("ab/" + "1" * 30) as target:
    for _ in range(256): target.write(block)
print(peak() - before)"""
    shown = subprocess.run([sys.executable, "-c", code, url], check=True, capture_output=True, text=True)
    assert int(shown.stdout) < 128


def killed_while_writing(url: str, key: str) -> None:
    code = """import os, signal, sys
from handover.storage import open_storage
with open_storage(sys.argv[1]).create(sys.argv[2]) as target:
    target.write(bytes(40 << 20))
    target._parts.finish = None
    for sent in target._parts._sent: sent.result()
    os.kill(os.getpid(), signal.SIGKILL)"""
    assert subprocess.run([sys.executable, "-c", code, url, key], check=False).returncode == -signal.SIGKILL


def test_parts_of_a_dead_writer_go_and_those_of_one_that_was_heard_of_stay(
    s3: Server, url: str, tmp_path: Path
) -> None:
    killed_while_writing(url, new_blob_key())
    assert at(url, tmp_path, dt.timedelta(minutes=5)).sweep() == 0
    assert len(s3.uploads(url)) == 1
    time.sleep(1.1)  # a store's times are whole seconds
    assert at(url, tmp_path, dt.timedelta(seconds=1)).sweep() == 1
    assert s3.uploads(url) == []


def test_clearing_removes_only_what_no_row_names_and_is_older_than_any_writer(url: str, tmp_path: Path) -> None:
    old, named, lost = new_blob_key(), new_blob_key(), new_blob_key()
    storage = at(url, tmp_path)
    put(storage, old, b"x")
    assert storage.clear(lambda written: written) == 0
    time.sleep(1.1)
    put(storage, named, b"x")
    put(storage, lost, b"x")
    assert at(url, tmp_path, dt.timedelta(days=1)).clear(lambda written: written) == 0
    time.sleep(1.1)
    put(storage, late := new_blob_key(), b"x")
    assert at(url, tmp_path, dt.timedelta(seconds=1)).clear(lambda written: written - {named, old}) == 1
    assert set(storage.keys()) == {old, named, late}


def test_nothing_beside_the_prefix_is_seen_or_removed(s3: Server, url: str, tmp_path: Path) -> None:
    beside = open_storage(url.replace("?", "-2?"))
    with beside.create(key := new_blob_key()) as target:
        target.write(b"x")
    storage = at(url, tmp_path)
    assert list(storage.keys()) == []
    storage.clear(lambda written: written)
    assert storage.clear(lambda written: written) == 0
    storage.delete(key)
    assert beside.exists(key)


@pytest.mark.parametrize("lost", ["PUT", "POST"])
def test_a_lost_answer_does_not_make_a_writer_lose_against_itself(
    way: Way, url: str, tmp_path: Path, small_parts: None, lost: str
) -> None:
    storage, key = over(way, url, tmp_path), new_blob_key()
    data = noise(6 * MIB) if lost == "POST" else b"small"
    way.once(lost, "uploadId" if lost == "POST" else key, Fault(lose=True))
    put(storage, key, data)
    assert get(storage, key) == data
    with pytest.raises(BlobExistsError):
        put(storage, key, b"another")


@pytest.mark.parametrize("size", [5, 6 * MIB])
def test_a_store_without_conditions_is_looked_at_before_each_write(
    way: Way, url: str, tmp_path: Path, small_parts: None, size: int
) -> None:
    way.rule = lambda _m, _p, headers: Fault(status=501, code="NotImplemented") if "if-none-match" in headers else None
    storage, key = over(way, url, tmp_path), new_blob_key()
    put(storage, key, data := noise(size))
    with pytest.raises(BlobExistsError):
        put(storage, key, noise(size + 1))
    assert get(storage, key) == data


def test_an_answer_that_breaks_off_is_asked_for_again(way: Way, url: str, tmp_path: Path) -> None:
    storage, key = over(way, url, tmp_path), new_blob_key()
    put(storage, key, data := noise(3 * MIB))
    way.once("GET", key, Fault(cut=1000))
    assert get(storage, key) == data


def test_a_store_that_fails_for_a_moment_is_asked_again(way: Way, url: str, tmp_path: Path) -> None:
    storage, key = over(way, url, tmp_path), new_blob_key()
    way.once("PUT", key, Fault(status=503, code="SlowDown"))
    put(storage, key, b"x")
    assert get(storage, key) == b"x"


def test_bytes_that_change_on_the_way_are_refused(s3: Server, url: str, tmp_path: Path) -> None:
    storage, key = at(url, tmp_path), new_blob_key()

    def spoil(request: object, **_: object) -> None:
        request.body = b"spoilt"  # type: ignore[attr-defined]

    storage._bucket._client.meta.events.register("before-send.s3.PutObject", spoil)
    with pytest.raises(StorageUnavailableError) as refused:
        put(storage, key, b"intact")
    assert refused.value.details["reason"] == "BadDigest"
    assert not storage.exists(key)


def test_a_bucket_that_keeps_versions_is_refused(s3: Server, tmp_path: Path) -> None:
    s3.client.create_bucket(Bucket="versions")
    for state in ("Enabled", "Suspended"):
        s3.client.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": state})
        storage = at(s3.url("versions"), tmp_path)
        with pytest.raises(VersionsKeptError):
            storage.examine()
        put(storage, key := new_blob_key(), b"x")
        with pytest.raises(VersionsKeptError):
            storage.delete(key)


def test_a_bucket_whose_versioning_may_not_be_read_is_reported(way: Way, url: str, tmp_path: Path) -> None:
    way.rule = lambda _m, path, _h: Fault(status=403, code="AccessDenied") if "versioning" in path else None
    (said,) = over(way, url, tmp_path).examine()
    assert "AccessDenied" in said


def test_a_place_belongs_to_one_installation(url: str, tmp_path: Path) -> None:
    for _ in range(2):
        at(url, tmp_path).claim("ours")
    with pytest.raises(ForeignStorageError):
        at(url, tmp_path).claim("another's")
    assert list(at(url, tmp_path).keys()) == []


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (403, "AccessDenied", "credentials"),
        (403, "SignatureDoesNotMatch", "credentials"),
        (403, "RequestTimeTooSkewed", "clock"),
        (400, "AuthorizationHeaderMalformed", "region"),
        (404, "NoSuchBucket", "does not exist"),
        (507, "XMinioStorageFull", "full"),
        (418, "Teapot", "Teapot"),
    ],
)
def test_a_refusal_says_what_to_do_and_keeps_the_secret(
    way: Way, url: str, tmp_path: Path, status: int, code: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    storage = over(way, url, tmp_path)
    way.rule = lambda *_: Fault(status=status, code=code)
    for attempt in (storage.exists, storage.size, storage.delete, lambda key: put(storage, key, b"x")):
        with pytest.raises(HandoverError) as refused:
            attempt(new_blob_key())
        assert said in refused.value.message
        assert refused.value.code in {"storage_unavailable", "storage_full"}
    assert SECRET not in caplog.text
    assert "Signature=" not in caplog.text


def test_real_refusals_are_told_apart(s3: Server, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StorageUnavailableError, match="does not exist"):
        at(s3.url("nobodys"), tmp_path).exists(new_blob_key())
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", STRANGER[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", STRANGER[1])
    with pytest.raises(StorageUnavailableError, match="refuses the credentials"):
        at(url, tmp_path).ping()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(StorageUnavailableError, match="AWS_ACCESS_KEY_ID"):
        at(url, tmp_path).ping()


def test_files_of_credentials_are_read_and_a_profile_that_is_not_there_is_said(
    s3: Server, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    file = tmp_path / "credentials"
    file.write_text(f"[seller]\naws_access_key_id = {s3.access}\naws_secret_access_key = {s3.secret}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_PROFILE", "seller")
    at(url, tmp_path).ping()
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(StorageUnavailableError, match="there are no credentials"):
        at(url, tmp_path)


def test_a_certificate_that_nobody_vouches_for_is_refused(s3: Server, tmp_path: Path, unknown_tls: str) -> None:
    with pytest.raises(StorageUnavailableError, match="AWS_CA_BUNDLE"):
        at(f"s3://handover/x?endpoint={unknown_tls}", tmp_path).exists(new_blob_key())


def test_a_store_that_is_down_is_said_soon_by_the_readiness_check(s3: Server, url: str, tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailableError, match="not reachable"):
        at("s3://handover/x?endpoint=http://127.0.0.1:1", tmp_path).ping()
    storage = at(url, tmp_path)
    with s3.stopped(), pytest.raises(StorageUnavailableError, match="not reachable"):
        storage.ping()
    storage.ping()


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3://user:secret@bucket",
        "s3://bucket:9000/x",
        "s3://bucket/a//b",
        "s3://bucket/../b",
        "s3://bucket?endpoint=http://storage.example",
        "s3://bucket?endpoint=https://user:secret@storage.example",
        "s3://bucket?key=secret",
        "s3://bucket?region=a&region=b",
        "s3://bucket?addressing=other",
    ],
)
def test_an_address_of_another_form_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        open_storage(url)
    assert "secret" not in refused.value.message


def test_what_an_address_leaves_open_comes_from_the_usual_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://storage.example/")
    monkeypatch.setenv("AWS_REGION", "cn-north-1")
    address = Address.parse("s3://bucket/a/b?addressing=virtual")
    assert (address.endpoint, address.region, address.prefix) == ("https://storage.example", "cn-north-1", "a/b/")
    assert Address.parse("s3://bucket?region=x&endpoint=https://s.example:1").endpoint == "https://s.example:1"


# Staged blobs


def stage(storage: S3Storage, key: str, data: bytes) -> None:
    with storage.stage(key) as target:
        target.write(data)


PLACE = """import sys
from pathlib import Path
from handover.storage import open_storage
from handover.storage.s3 import placing
placing.PART_BYTES = 5 << 20
open_storage(sys.argv[1], Path(sys.argv[2])).place(sys.argv[3])"""


@contextlib.contextmanager
def killed_after_four_parts(way: Way, s3: Server, url: str, spool: Path, key: str) -> Iterator[None]:
    """A process that places the blob, killed when four of its parts are in the store."""
    passed, over_now = itertools.count(), threading.Event()

    def four(method: str, path: str, _headers: dict[str, str]) -> Fault | None:
        if method == "PUT" and next(passed) >= 4:
            over_now.wait()
            return Fault(status=500, code="Late")
        return None

    way.rule = four
    child = subprocess.Popen([sys.executable, "-c", PLACE, address_over(way, url), str(spool), key])
    while sum(s3.parts(upload) for upload in s3.uploads(url)) < 4:
        assert child.poll() is None
        time.sleep(0.05)
    child.kill()
    assert child.wait() == -signal.SIGKILL
    try:
        yield
    finally:
        over_now.set()


def test_a_placing_that_is_killed_goes_on_with_the_parts_that_arrived(
    way: Way, s3: Server, url: str, tmp_path: Path
) -> None:
    storage, key, data, spool = at(url, tmp_path), new_blob_key(), noise(64 * MIB + 5), tmp_path / "spool"
    stage(storage, key, data)
    with killed_after_four_parts(way, s3, url, spool, key):
        assert not storage.exists(key)
        assert storage.is_staged(key)
        way.rule = lambda *_: None
        way.seen.clear()
        subprocess.run([sys.executable, "-c", PLACE, address_over(way, url), str(spool), key], check=True)
    assert get(storage, key) == data
    assert len([path for method, path in way.seen if method == "PUT"]) == 13 - 4
    assert s3.uploads(url) == []
    assert list(open_storage(f"file://{spool}").keys()) == []


def test_parts_that_were_swept_meanwhile_are_sent_again(way: Way, s3: Server, url: str, tmp_path: Path) -> None:
    storage, key, data = at(url, tmp_path), new_blob_key(), noise(30 * MIB)
    stage(storage, key, data)
    with killed_after_four_parts(way, s3, url, tmp_path / "spool", key):
        storage.sweep()
        assert s3.uploads(url) == []
        storage.place(key)
    assert get(storage, key) == data


def test_deleting_a_blob_drops_its_staged_parts(way: Way, s3: Server, url: str, tmp_path: Path) -> None:
    storage, key = at(url, tmp_path), new_blob_key()
    stage(storage, key, noise(30 * MIB))
    with killed_after_four_parts(way, s3, url, tmp_path / "spool", key):
        storage.delete(key)
    assert s3.uploads(url) == []
    assert not storage.is_staged(key)


def test_what_comes_back_changed_is_not_taken_for_placed(s3: Server, url: str, tmp_path: Path) -> None:
    storage, key = at(url, tmp_path), new_blob_key()
    stage(storage, key, data := noise(MIB))
    wrong = data[:-1] + bytes([data[-1] ^ 1])
    put(storage, key, wrong)
    with pytest.raises(VerificationError):
        storage.place(key)
    assert not storage.exists(key)
    assert not storage.is_staged(key)


def test_two_who_place_the_same_blob_both_succeed(url: str, tmp_path: Path) -> None:
    """A worker that lost its lease may be at it still."""
    storage, key = at(url, tmp_path), new_blob_key()
    stage(storage, key, data := noise(40 * MIB))
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(at(url, tmp_path).place, key) for _ in range(2)]:
            done.result()
    assert get(storage, key) == data


def test_without_the_library_the_start_says_what_to_install(tmp_path: Path) -> None:
    code = """import sys
sys.modules["botocore"] = None
from handover.storage import open_storage
try: open_storage("s3://bucket")
except Exception as error: print(error.code, error.message)"""
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "settings_invalid" in shown.stdout
    assert "pip install 'handover[s3]'" in shown.stdout
