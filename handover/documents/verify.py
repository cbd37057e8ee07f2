"""Checks a document offline: our seal, over the whole file, with the twin inside. Part of the base installation.

A PDF reader may say "valid" for a signed file to which something was appended; here the signature must cover every
byte, and any later revision is refused.
"""

import io
from typing import Any

import msgspec
from asn1crypto import pem as asn1_pem
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.errors import PathError

from handover.crypto import canonical
from handover.crypto.errors import CanonicalError
from handover.documents.errors import DocumentVerificationError

_TWIN, _CHECKPOINT = "facts.json", "checkpoint.txt"


class VerifiedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What a document that holds says; `pinned` is False when no authority was given to check the signer against."""

    kind: str
    number: str
    title: dict[str, str]
    facts: dict[str, Any]
    twin: bytes
    checkpoint: str
    signer: str
    level: str
    pinned: bool


def verify_pdf(data: bytes, *, ca_pem: bytes | None) -> VerifiedDocument:
    """Verifies one PDF.

    Raises:
        DocumentVerificationError: not ours, altered, appended to, re-saved, or sealed by another signer.
    """
    try:
        reader = PdfFileReader(io.BytesIO(data))
        return _verified(reader, data, ca_pem)
    except DocumentVerificationError:
        raise
    except (
        PdfError,
        SignatureValidationError,
        PathError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
    ) as error:
        raise DocumentVerificationError(
            f"the file is no intact document of this service: {type(error).__name__}"
        ) from error


def _verified(reader: PdfFileReader, data: bytes, ca_pem: bytes | None) -> VerifiedDocument:
    # 1. Exactly one signature, ours, over every byte.
    signatures = list(reader.embedded_signatures)
    if len(signatures) != 1:
        raise DocumentVerificationError(f"the document has {len(signatures)} signatures; ours have exactly one")
    signature = signatures[0]
    signature.compute_integrity_info()
    if signature.coverage != SignatureCoverageLevel.ENTIRE_FILE or signature.docmdp_level is not None:
        raise DocumentVerificationError("something was added to the document after it was sealed")
    start, length, gap, rest = signature.byte_range
    if start != 0 or gap + rest != len(data) or not length < gap:
        raise DocumentVerificationError("the seal does not cover the whole file")
    # 2. The seal itself, against the pinned authority or, without one, against its own certificate.
    trusted = _certificate(ca_pem) if ca_pem is not None else None
    roots = [trusted] if trusted is not None else [signature.signer_cert, *signature.other_embedded_certs]
    context = ValidationContext(trust_roots=roots, allow_fetching=False, revocation_mode="soft-fail")
    status = validate_pdf_signature(signature, signer_validation_context=context)
    if not (status.intact and status.valid):
        raise DocumentVerificationError("the content was altered after it was sealed")
    if trusted is not None and not status.trusted:
        raise DocumentVerificationError("the seal is not by a signer that the pinned authority certified")
    # 3. The facts inside.
    twin, checkpoint = _attachment(reader, _TWIN), _attachment(reader, _CHECKPOINT)
    try:
        facts = canonical.decode_strict(twin)
    except CanonicalError as error:
        raise DocumentVerificationError("the embedded facts are not in canonical form") from error
    return VerifiedDocument(
        kind=str(facts["kind"]),
        number=str(facts["number"]),
        title=facts["title"],
        facts=facts["facts"],
        twin=twin,
        checkpoint=checkpoint.decode(),
        signer=signature.signer_cert.subject.human_friendly,
        level="B-T" if status.timestamp_validity is not None else "B-B",
        pinned=trusted is not None,
    )


def _attachment(reader: PdfFileReader, name: str) -> bytes:
    names = reader.root["/Names"]["/EmbeddedFiles"]["/Names"]
    for position in range(0, len(names), 2):
        spec = names[position + 1]
        if str(spec["/UF"]) == name:
            return bytes(spec["/EF"]["/F"].data)
    raise DocumentVerificationError(f"the document lacks its attachment {name}")


def _certificate(data: bytes) -> asn1_x509.Certificate:
    try:
        _, _, der = asn1_pem.unarmor(data)
        return asn1_x509.Certificate.load(der)
    except ValueError as error:
        raise DocumentVerificationError("ca.pem holds no certificate") from error
