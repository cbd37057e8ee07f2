"""Buckets that do not suit, stores that refuse or are away, wrong addresses: each is said with what to do."""

import logging
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from handover.documents import ca
from handover.errors import HandoverError
from handover.settings import SettingsError
from handover.storage import (
    ForeignStorageError,
    StorageUnavailableError,
    VersionsKeptError,
    new_blob_key,
    open_storage,
)
from handover.storage.s3.address import Address
from tests.bucket import SECRET, STRANGER, Server
from tests.storage.faults import Fault, Way, way_to
from tests.storage.stores import at, over, put

pytestmark = pytest.mark.services


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


def test_without_the_library_the_start_says_what_to_install(tmp_path: Path) -> None:
    code = """import sys
sys.modules["botocore"] = None
from handover.storage import open_storage
try: open_storage("s3://bucket")
except Exception as error: print(error.code, error.message)"""
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "settings_invalid" in shown.stdout
    assert "pip install 'handover[s3]'" in shown.stdout
