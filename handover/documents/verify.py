"""Checks a document offline: our seal, over the whole file, with the twin inside. Part of the base installation.

A PDF reader may say "valid" for a signed file to which something was appended; here the signature must cover every
byte, and any later revision is refused.
"""

import datetime as dt
import io
import logging
from typing import Any

import msgspec
from asn1crypto import pem, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import EmbeddedPdfSignature, SignatureCoverageLevel, validate_pdf_signature
from pyhanko.sign.validation.status import TimestampSignatureStatus
from pyhanko_certvalidator import ValidationContext

from handover.crypto import canonical
from handover.crypto.errors import CanonicalError
from handover.documents.errors import DocumentVerificationError
from handover.documents.seal import only_authority, require_exact_seal

# What is wrong is in the error that is raised; without a handler Python would print the library's traces besides.
for _library in ("pyhanko", "pyhanko_certvalidator"):
    logging.getLogger(_library).addHandler(logging.NullHandler())

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
    #: When and by which authority, as the token says; a B-B seal has none.
    timestamp: dict[str, str] | None
    pinned: bool


def verify_pdf(data: bytes, *, ca_pem: bytes | None) -> VerifiedDocument:
    """Verifies one PDF.

    Raises:
        DocumentVerificationError: not ours, altered, appended to, re-saved, or sealed by another signer.
    """
    trusted = _certificate(ca_pem) if ca_pem is not None else None
    try:
        return _verified(PdfFileReader(io.BytesIO(data)), data, trusted)
    except DocumentVerificationError:
        raise
    except Exception as error:  # whatever a damaged file does to the reader, it is a damaged file
        raise DocumentVerificationError(
            f"the file is no intact document of this service: {type(error).__name__}"
        ) from error


def _verified(reader: PdfFileReader, data: bytes, trusted: x509.Certificate | None) -> VerifiedDocument:
    # 1. Exactly one signature, ours, over every byte.
    signature = _only_signature(reader, data)
    # 2. The seal itself, against the pinned authority or, without one, against the authority that it names.
    authority = only_authority(signature)
    if trusted is not None and authority.dump() != trusted.dump():
        raise DocumentVerificationError("the seal is not by a signer that the pinned authority certified")
    context = ValidationContext(trust_roots=[authority], allow_fetching=False, revocation_mode="soft-fail")
    status = validate_pdf_signature(signature, signer_validation_context=context)
    if not (status.intact and status.valid and status.docmdp_ok):
        raise DocumentVerificationError("the content was altered after it was sealed")
    if not status.trusted:
        raise DocumentVerificationError("the seal's certificate is not one that its authority issued for sealing")
    # 3. The timestamp, if there is one, is over this seal; its authority is named, not pinned.
    stamp = status.timestamp_validity
    if stamp is not None and not (stamp.intact and stamp.valid):
        raise DocumentVerificationError("the timestamp does not belong to this seal")
    # 4. The facts inside.
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
        level="B-T" if stamp is not None else "B-B",
        timestamp=None if stamp is None else _stamp(stamp),
        pinned=trusted is not None,
    )


def _only_signature(reader: PdfFileReader, data: bytes) -> EmbeddedPdfSignature:
    signatures = list(reader.embedded_signatures)
    if len(signatures) != 1:
        raise DocumentVerificationError(f"the document has {len(signatures)} signatures; ours have exactly one")
    signature = signatures[0]
    if signature.sig_object["/SubFilter"] != "/ETSI.CAdES.detached":
        raise DocumentVerificationError("the document is not sealed in the form of this service (PAdES)")
    # First what costs nothing: comparing revisions that a stranger appended would be work on the stranger's terms.
    require_exact_seal(signature, data)
    signature.compute_integrity_info()
    if signature.coverage != SignatureCoverageLevel.ENTIRE_FILE:
        raise DocumentVerificationError("something was added to the document after it was sealed")
    if signature.docmdp_level != MDPPerm.NO_CHANGES:
        raise DocumentVerificationError("the seal does not forbid changes; ours does")
    return signature


def _stamp(stamp: TimestampSignatureStatus) -> dict[str, str]:
    return {
        "at": stamp.timestamp.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "authority": stamp.signing_cert.subject.human_friendly,
    }


def _attachment(reader: PdfFileReader, name: str) -> bytes:
    names = reader.root["/Names"]["/EmbeddedFiles"]["/Names"]
    for position in range(0, len(names), 2):
        spec = names[position + 1]
        if str(spec["/UF"]) == name:
            return bytes(spec["/EF"]["/F"].data)
    raise DocumentVerificationError(f"the document lacks its attachment {name}")


def _certificate(data: bytes) -> x509.Certificate:
    try:
        _, _, der = pem.unarmor(data)
        certificate = x509.Certificate.load(der)
        certificate.ca  # noqa: B018 - parsed only when looked at
    except (ValueError, TypeError) as error:
        raise DocumentVerificationError("ca.pem holds no certificate") from error
    return certificate
