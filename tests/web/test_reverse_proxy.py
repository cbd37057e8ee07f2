"""The reverse proxy of docs/tls.md, as its file is, with Debian's nginx: nothing that the product needs gets lost on the way."""

import base64
import datetime as dt
import shutil
import socket
import ssl
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from handover.context import SYSTEM, Installation
from handover.crypto.age import generate_identity, recipient_of
from handover.delivery.models import Delivery
from handover.jobs import put
from handover.jobs.models import Job
from tests.actors import ADDRESS, PASSWORD, Actors, Someone
from tests.archive import samples
from tests.casework import in_inventory, scene
from tests.e2e import given

NAME = ADDRESS.removeprefix("https://")
EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "nginx.conf"
NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed (apt-get install nginx-light)")
_TUS = {"Tus-Resumable": "1.0.0"}
_PIECE = 1 << 20


class Proxy:
    """A client that believes this certificate alone and speaks to the public name, which nginx answers."""

    def __init__(self, port: int, certificate: Path) -> None:
        self.http = httpx.Client(
            base_url=f"https://127.0.0.1:{port}",
            verify=ssl.create_default_context(cafile=certificate),
            headers={"Host": NAME},
            timeout=20,
            trust_env=False,
        )

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self.http.request(method, path, extensions={"sni_hostname": NAME}, **more)


@pytest.fixture
def proxy(served: str, tmp_path: Path) -> Iterator[Proxy]:
    """The example with this machine's ports, paths and names in it, running."""
    certificate, key = _certificate(tmp_path)
    plain, secure = _free_port(), _free_port()
    site = EXAMPLE.read_text()
    for old, new in (
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ", f"listen 127.0.0.1:{secure} "),
        ("handover.example.org", NAME),
        ("/etc/ssl/handover/fullchain.pem", str(certificate)),
        ("/etc/ssl/handover/key.pem", str(key)),
        ("http://127.0.0.1:8000", served),
    ):
        assert old in site
        site = site.replace(old, new)
    (tmp_path / "site.conf").write_text(site)
    temporary = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log; events {{}}"
        f" http {{ {temporary} include {tmp_path}/site.conf; }}"
    )
    process = subprocess.Popen([str(NGINX), "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")])
    made = Proxy(secure, certificate)
    try:
        _wait_for(process, secure, tmp_path / "error.log")
        yield made
    finally:
        made.http.close()
        process.terminate()
        process.wait(timeout=15)


@pytest.fixture
def lead(actors: Actors) -> Someone:
    return actors("lead", "consultant")


def test_a_page_has_each_security_header_once(proxy: Proxy, lead: Someone) -> None:
    assert lead, "where nobody has an account, /login leads to /setup"
    answer = proxy.send("GET", "/login", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "<form" in answer.text
    for name in ("strict-transport-security", "content-security-policy", "x-content-type-options"):
        assert len(answer.headers.get_list(name)) == 1, name


@pytest.mark.parametrize(("origin", "status"), [(ADDRESS, 303), ("https://evil.example", 403), ("null", 403)])
def test_the_login_form_takes_our_own_origin_alone(proxy: Proxy, lead: Someone, origin: str, status: int) -> None:
    fields = {"email": lead.email, "password": PASSWORD, "code": lead.totp(), "next": "/todo"}
    headers = {"Origin": origin, "Accept": "text/html", "X-Forwarded-Host": "evil.example"}
    answer = proxy.send("POST", "/login", data=fields, headers=headers)
    assert answer.status_code == status, answer.text[:400]
    if status == 303:
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-handover=")
        assert answer.headers["location"] == "/todo"
        session = {"Cookie": cookie.partition(";")[0], "Accept": "text/html"}
        assert proxy.send("GET", "/todo", headers=session).status_code == 200


def test_what_was_sent_before_a_line_broke_has_arrived(proxy: Proxy, actors: Actors) -> None:
    made = scene(actors)
    in_inventory(made)
    headers = _headers(made.seller)
    size = 4 * _PIECE
    meta = f"case_id {_base64(made.case_id)},filename {_base64('clients.csv')}"
    announced = {**headers, "Upload-Length": str(size), "Upload-Metadata": meta}
    place = httpx.URL(proxy.send("POST", "/api/v1/uploads", headers=announced).headers["location"]).path
    patch = {**headers, "Content-Type": "application/offset+octet-stream"}

    def breaks() -> Iterator[bytes]:
        for _ in range(3):
            yield b"a" * _PIECE
        raise ConnectionError

    with pytest.raises(ConnectionError):
        proxy.send(
            "PATCH", place, headers={**patch, "Upload-Offset": "0", "Content-Length": str(size)}, content=breaks()
        )
    offset = _arrived(proxy, place, headers)
    rest = proxy.send("PATCH", place, headers={**patch, "Upload-Offset": str(offset)}, content=b"a" * (size - offset))
    assert rest.status_code == 204
    assert rest.headers["upload-offset"] == str(size)


def test_a_piece_of_a_package_is_sent_alone(proxy: Proxy, actors: Actors, installation: Installation) -> None:
    person, case, recipient = given.recipient_of(actors)
    package, blob = given.deliver(installation, case, recipient, samples.entries(), recipient_of(generate_identity()))
    with installation.unit_of_work(SYSTEM) as ctx:
        delivery = ctx.session.query(Delivery).filter_by(package_id=package.id).one().id
    headers = {**_headers(person), "Range": "bytes=10-109"}
    answer = proxy.send("GET", f"/api/v1/deliveries/{delivery}/content", headers=headers)
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes 10-109/{package.size}"
    assert answer.content == blob.read_bytes()[10:110]


def test_progress_is_told_at_once(proxy: Proxy, lead: Someone, installation: Installation) -> None:
    case = lead.post("cases", {"title": "t", "structure": "asset_transfer"}).json()["id"]
    with installation.unit_of_work(SYSTEM) as ctx:
        job = put(ctx, "attestations.issue", case_id=uuid.UUID(case))
    events = proxy.http.stream(
        "GET", f"/api/v1/jobs/{job}/events", headers=_headers(lead), extensions={"sni_hostname": NAME}
    )
    with events as answer:
        lines = (line for line in answer.iter_lines() if line.startswith("data:"))
        assert '"state":"done"' not in next(lines), "the first event is told while the job still runs"
        _finish(installation, job)
        assert any('"state":"done"' in line for line in lines)


def _finish(installation: Installation, job: uuid.UUID) -> None:
    with installation.unit_of_work(SYSTEM) as ctx:
        ctx.session.get_one(Job, job).state = "done"


def _arrived(proxy: Proxy, place: str, headers: dict[str, str]) -> int:
    """What the service has, once it noticed that the line is broken."""
    for _ in range(50):
        answer = proxy.send("HEAD", place, headers=headers)
        if answer.status_code == 200 and int(answer.headers["upload-offset"]) > 0:
            return int(answer.headers["upload-offset"])
        threading.Event().wait(0.1)
    raise AssertionError(f"nothing arrived: {answer.status_code} {answer.headers}")


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _headers(person: Someone) -> dict[str, str]:
    return {**_TUS, "Authorization": f"Bearer {person.token}"}


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Self-made, for the public name and the address by which the test calls."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 15
    while not _listens(port):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
