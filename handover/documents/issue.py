"""Issuing: page → PDF/A-3b with the twin inside → PAdES signature → read back and checked. All of it or nothing."""

import hashlib
import io

import msgspec
from asn1crypto import keys as asn1_keys
from asn1crypto import pem as asn1_pem
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign import signers
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.timestamps.common_utils import TimestampRequestError
from pyhanko.sign.timestamps.requests_client import RequestsHTTPTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from handover.documents.document import CHECKPOINT_NAME, TWIN_NAME, Document, Issued
from handover.documents.errors import DocumentError, DocumentVerificationError, TimestampError
from handover.documents.request import Attachment, RenderRequest
from handover.documents.templates import page
from handover.documents.verify import verify_pdf
from handover.resources import data_folder
from handover.sandbox import Limits, SandboxError, run_isolated
from handover.sandbox.frames import FrameKind, FrameParser, pack
from handover.vault.signers import PdfSigningKey

#: A timestamp authority that takes longer is down; the job tries again later.
_TSA_SECONDS = 20
#: A document that needs more is an attack on the renderer, not a document. Memory is address space: the libraries map
#: some 400 MiB before the first page.
LIMITS = Limits(
    wall_seconds=30.0,
    cpu_seconds=30,
    memory_bytes=1536 << 20,
    output_bytes=64 << 20,
    readable=(str(data_folder("templates")),),
)


def issue(document: Document, signer: PdfSigningKey, *, tsa_url: str | None = None, limits: Limits = LIMITS) -> Issued:
    """Renders, signs and checks one document.

    Raises:
        TimestampError: the timestamp authority at `tsa_url` gave none; without a timestamp it is not issued.
        DocumentError: it could not be rendered or signed, or does not hold when it is read back.
    """
    twin, level = document.twin(), "B-T" if tsa_url else "B-B"
    twin_sha256 = hashlib.sha256(twin).hexdigest()
    plain = render(document, twin, twin_sha256, level=level, limits=limits)
    pdf = _sign(plain, signer, tsa_url)
    try:
        checked = verify_pdf(pdf, ca_pem=signer.chain_pem)
    except DocumentVerificationError as error:
        raise DocumentError(f"document {document.number} does not hold: {error.message}") from error
    if (checked.twin, checked.checkpoint) != (twin, document.checkpoint):
        raise DocumentError(f"document {document.number}: the embedded facts are not the ones that were printed")
    if checked.level != level:
        raise DocumentError(f"document {document.number}: {level} is printed on it, {checked.level} is what it has")
    return Issued(
        pdf=pdf, twin=twin, sha256=hashlib.sha256(pdf).hexdigest(), twin_sha256=twin_sha256, level=checked.level
    )


def render(document: Document, twin: bytes, twin_sha256: str, *, level: str = "B-B", limits: Limits = LIMITS) -> bytes:
    """The PDF before it is signed; the same facts give the same bytes.

    Raises:
        DocumentError: the renderer ran out of time, memory or room; other documents go on.
    """
    request = RenderRequest(
        html=page(document, twin_sha256, level),
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
    try:
        return _in_child(request, limits)
    except SandboxError as error:
        raise DocumentError(f"document {document.number} could not be rendered: {error.message}") from error


def _in_child(request: RenderRequest, limits: Limits) -> bytes:
    parser, parts = FrameParser(), list[bytes]()

    def take(data: bytes) -> None:
        parts.extend(payload for kind, payload in parser.feed(data) if kind is FrameKind.DATA)

    run_isolated(
        "handover.documents.render",
        stdin=pack(FrameKind.PARAMETERS, msgspec.msgpack.encode(request)),
        limits=limits,
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
        # A certifying signature: readers that only ask whether the signed part is intact still refuse any addition.
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        reason="Seal of the service: origin and integrity of the record; no party's signature",
    )
    out = io.BytesIO()
    try:
        signers.sign_pdf(
            IncrementalPdfFileWriter(io.BytesIO(data)),
            meta,
            signer=seal,
            timestamper=RequestsHTTPTimeStamper(tsa_url, timeout=_TSA_SECONDS) if tsa_url else None,
            output=out,
        )
    except (TimestampRequestError, OSError) as error:
        raise TimestampError("the timestamp authority gave no timestamp; the document was not issued") from error
    except (SigningError, PdfError, ValueError, TypeError, KeyError, AttributeError) as error:
        # An answer that is no RFC 3161 reply ends in any of these, depending on where reading it fails.
        failure = DocumentError if tsa_url is None else TimestampError
        raise failure(f"the document could not be sealed: {type(error).__name__}; it was not issued") from error
    return out.getvalue()


def _der(data: bytes) -> bytes:
    _, _, der = asn1_pem.unarmor(data)
    return bytes(der)
