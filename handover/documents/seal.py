"""The bytes of a seal that the seal itself can't cover: its own container, which must hold nothing but the seal.

A PDF signature leaves out the hexadecimal string that carries it (ISO 32000-2, 12.8.1), and a CMS signature covers
neither its certificates nor its unsigned attributes (RFC 5652, 5.4). So that one document is one sequence of bytes,
those parts are compared with the only form in which the service writes them.
"""

from asn1crypto import cms, x509
from cryptography import x509 as certificates
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.sign.validation import EmbeddedPdfSignature

from handover.documents.errors import DocumentVerificationError

_TIMESTAMP = "signature_time_stamp_token"


def require_exact_seal(signature: EmbeddedPdfSignature, data: bytes) -> None:
    """Checks that the part of the file outside the signed ranges is one seal, in canonical form, and zeros.

    Raises:
        DocumentVerificationError: something else lies there.
    """
    start, length, gap, rest = signature.byte_range
    if start == 0 and gap + rest < len(data):
        raise DocumentVerificationError("something was added to the document after it was sealed")
    if start != 0 or gap + rest != len(data) or not length < gap:
        raise DocumentVerificationError("the seal does not cover the whole file")
    written = data[length + 1 : gap - 1]
    raw = bytes.fromhex(written.decode("ascii"))
    if data[length:gap] != b"<" + raw.hex().upper().encode() + b">":
        raise DocumentVerificationError("the seal is not written as this service writes it")
    content = cms.ContentInfo.load(raw)
    seal = content.dump()
    if raw[: len(seal)] != seal or raw[len(seal) :].strip(b"\0"):
        raise DocumentVerificationError("something lies beside the seal in its container")
    if content.copy().dump(force=True) != seal:
        raise DocumentVerificationError("the seal is not in canonical encoding (DER)")
    signed = content["content"]
    (signer,) = signed["signer_infos"]
    names = [algorithm["algorithm"].native for algorithm in signed["digest_algorithms"]]
    if (signed["version"].native, signer["version"].native, names) != ("v1", "v1", ["sha256"]):
        raise DocumentVerificationError("the seal's outer fields are not the ones that this service writes")
    if {attribute["type"].native for attribute in signer["unsigned_attrs"] or ()} - {_TIMESTAMP}:
        raise DocumentVerificationError("the seal carries attributes that nobody signed")


def only_authority(signature: EmbeddedPdfSignature) -> x509.Certificate:
    """The one self-signed certificate beside the signer's.

    Raises:
        DocumentVerificationError: there is another number of certificates, or it did not sign itself.
    """
    others: list[x509.Certificate] = list(signature.other_embedded_certs)
    if len(others) != 1:
        raise DocumentVerificationError("the seal does not carry exactly its signer and that signer's authority")
    authority = certificates.load_der_x509_certificate(others[0].dump())
    try:
        authority.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise DocumentVerificationError("the authority in the seal did not sign itself") from error
    return x509.Certificate.load(authority.public_bytes(Encoding.DER))
