"""A timestamp is part of the document or there is no document; what is printed is what the token proves."""

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from asn1crypto import keys, pem, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.sign.timestamps import DummyTimeStamper

from handover.documents.document import Document
from handover.documents.errors import DocumentError, TimestampError
from handover.documents.issue import issue
from handover.documents.verify import verify_pdf
from handover.vault.signers import PdfSigningKey
from tests.documents.sample import document, text_of

Answer = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def authority() -> DummyTimeStamper:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)  # the double knows RSA alone
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Loopback TSA")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _, _, der = pem.unarmor(certificate.public_bytes(serialization.Encoding.PEM))
    return DummyTimeStamper(
        tsa_cert=asn1_x509.Certificate.load(der), tsa_key=keys.PrivateKeyInfo.load(private), fixed_dt=now
    )


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], str]]:
    """Starts a timestamp authority on loopback that answers as it is told."""
    servers: list[HTTPServer] = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                reply = answer(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def small() -> Document:
    return document({"executor": "张䶮"})


def test_a_timestamp_is_in_the_document_and_on_it(
    small: Document,
    signer: PdfSigningKey,
    authority: DummyTimeStamper,
    serve: Callable[[Answer], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    url = serve(lambda asked: bytes(authority.request_tsa_response(tsp.TimeStampReq.load(asked)).dump()))
    issued = issue(small, signer, tsa_url=url)
    found = verify_pdf(issued.pdf, ca_pem=signer.chain_pem)
    assert (issued.level, found.level, found.pinned) == ("B-T", "B-T", True)
    assert found.timestamp is not None
    assert "Loopback TSA" in found.timestamp["authority"]
    page = text_of(issued.pdf, tmp_path_factory.mktemp("timestamp"))
    assert "PAdESB-T" in page
    assert "PAdESB-B" not in page


def test_a_timestamp_over_something_else_is_refused(
    small: Document, signer: PdfSigningKey, authority: DummyTimeStamper, serve: Callable[[Answer], str]
) -> None:
    def answer(asked: bytes) -> bytes:
        request = tsp.TimeStampReq.load(asked)
        request["message_imprint"]["hashed_message"] = b"\x11" * 32
        return bytes(authority.request_tsa_response(request).dump())

    with pytest.raises(DocumentError, match="timestamp does not belong to this seal"):
        issue(small, signer, tsa_url=serve(answer))


def _another_nonce(authority: DummyTimeStamper) -> Answer:
    def answer(asked: bytes) -> bytes:
        request = tsp.TimeStampReq.load(asked)
        request["nonce"] = 7
        return bytes(authority.request_tsa_response(request).dump())

    return answer


def _rejection(_authority: DummyTimeStamper) -> Answer:
    status = tsp.PKIStatusInfo({"status": tsp.PKIStatus("rejection")})
    return lambda _asked: bytes(tsp.TimeStampResp({"status": status}).dump())


@pytest.mark.parametrize(
    "make", [_another_nonce, _rejection, lambda _: lambda _: b"", lambda _: lambda _: b"<html>captive portal</html>"]
)
def test_an_authority_that_gives_no_timestamp_stops_the_document_for_now(
    small: Document,
    signer: PdfSigningKey,
    authority: DummyTimeStamper,
    serve: Callable[[Answer], str],
    make: Callable[[DummyTimeStamper], Answer],
) -> None:
    with pytest.raises(TimestampError):
        issue(small, signer, tsa_url=serve(make(authority)))


def test_an_authority_that_is_down_stops_the_document_for_now(small: Document, signer: PdfSigningKey) -> None:
    with pytest.raises(TimestampError):
        issue(small, signer, tsa_url="http://127.0.0.1:9/")
