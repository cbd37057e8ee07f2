"""Issuing: page → PDF/A-3b with the twin inside → PAdES signature → read back and checked. All of it or nothing."""

import hashlib
import io

import msgspec
from asn1crypto import keys as asn1_keys
from asn1crypto import pem as asn1_pem
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers, timestamps
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko_certvalidator.registry import SimpleCertificateStore

from handover.documents.document import CHECKPOINT_NAME, TWIN_NAME, Document, Issued
from handover.documents.errors import DocumentError
from handover.documents.request import Attachment, RenderRequest
from handover.documents.templates import page
from handover.documents.verify import verify_pdf
from handover.errors import HandoverError
from handover.resources import data_folder
from handover.sandbox import Limits, run_isolated
from handover.sandbox.frames import FrameKind, FrameParser, pack
from handover.vault.signers import PdfSigningKey

_MIB = 1 << 20
#: A document that needs more is an attack on the renderer, not a document.
_LIMITS = {"wall_seconds": 30.0, "cpu_seconds": 30, "memory_bytes": 1536 * _MIB, "output_bytes": 64 * _MIB}


def issue(document: Document, signer: PdfSigningKey, *, tsa_url: str | None = None) -> Issued:
    """Renders, signs and checks one document.

    Raises:
        DocumentError: it could not be rendered, signed, or does not hold when it is read back.
    """
    twin = document.twin()
    twin_sha256 = hashlib.sha256(twin).hexdigest()
    plain = render(document, twin, twin_sha256)
    try:
        pdf = _sign(plain, signer, tsa_url)
        checked = verify_pdf(pdf, ca_pem=signer.chain_pem)
    except HandoverError as error:
        raise DocumentError(f"document {document.number} does not hold: {error.message}") from error
    if checked.twin != twin:
        raise DocumentError(f"document {document.number}: the embedded facts are not the ones that were printed")
    return Issued(
        pdf=pdf,
        twin=twin,
        sha256=hashlib.sha256(pdf).hexdigest(),
        twin_sha256=twin_sha256,
        level="B-T" if tsa_url else "B-B",
    )


def render(document: Document, twin: bytes, twin_sha256: str) -> bytes:
    """The PDF before it is signed; the same facts give the same bytes.

    Raises:
        SandboxError: the renderer ran out of time or memory; other documents go on.
    """
    request = RenderRequest(
        html=page(document, twin_sha256),
        identifier=twin_sha256[:32],
        created=document.issued_at,
        attachments=[
            Attachment(
                name=TWIN_NAME, media_type="application/json", description="The facts, canonical JSON", data=twin
            ),
            Attachment(
                name=CHECKPOINT_NAME,
                media_type="text/plain",
                description="The audit log's checkpoint at issue",
                data=document.checkpoint.encode(),
            ),
        ],
    )
    parser, parts = FrameParser(), list[bytes]()

    def take(data: bytes) -> None:
        parts.extend(payload for kind, payload in parser.feed(data) if kind is FrameKind.DATA)

    run_isolated(
        "handover.documents.render",
        stdin=pack(FrameKind.PARAMETERS, msgspec.msgpack.encode(request)),
        limits=Limits(readable=(str(data_folder("templates")),), **_LIMITS),  # type: ignore[arg-type]
        on_output=take,
    )
    return b"".join(parts)


def _sign(data: bytes, signer: PdfSigningKey, tsa_url: str | None) -> bytes:
    certificate = asn1_x509.Certificate.load(_der(signer.certificate_pem))
    registry = SimpleCertificateStore()
    registry.register(asn1_x509.Certificate.load(_der(signer.chain_pem)))
    key = asn1_keys.PrivateKeyInfo.load(_der(signer.private_pem))
    seal = signers.SimpleSigner(signing_cert=certificate, signing_key=key, cert_registry=registry)
    meta = signers.PdfSignatureMetadata(
        field_name="ServiceSeal",
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        reason="Seal of the service: origin and integrity of the record; no party's signature",
    )
    out = io.BytesIO()
    try:
        signers.sign_pdf(
            IncrementalPdfFileWriter(io.BytesIO(data)),
            meta,
            signer=seal,
            timestamper=timestamps.HTTPTimeStamper(tsa_url, timeout=20) if tsa_url else None,
            output=out,
        )
    except (timestamps.TimestampRequestError, OSError) as error:
        raise DocumentError("the timestamp authority did not answer; the document was not issued") from error
    return out.getvalue()


def _der(data: bytes) -> bytes:
    _, _, der = asn1_pem.unarmor(data)
    return bytes(der)
