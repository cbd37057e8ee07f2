"""The installation's certificate authority for document signatures; its private key is taken offline after `init`.

Readers show our signature as "unknown issuer" until this authority is trusted: the documents say so.
"""

import datetime as dt

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: Documents are checked for many years; the authority outlives every certificate it issues.
_CA_YEARS = 30
_SIGNER_YEARS = 10
_DEMO = " DEMO 演示"


class Authority(msgspec.Struct, frozen=True):
    """A private key and its certificate, PEM."""

    private_pem: bytes
    certificate_pem: bytes

    def __repr__(self) -> str:
        return "Authority(…)"


def create_authority(installation: str, *, demo: bool = False) -> Authority:
    """A new self-signed authority (P-256) for one installation."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"handover CA {installation}", demo=demo)
    now = dt.datetime.now(dt.UTC)
    certificate = (
        _builder(name, name, key.public_key(), now, _CA_YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certify=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(_private(key), certificate.public_bytes(serialization.Encoding.PEM))


def issue_pdf_signer(authority: Authority, *, demo: bool = False) -> Authority:
    """A certificate for the service's seal on documents, with a key of its own."""
    issuer = x509.load_pem_x509_certificate(authority.certificate_pem)
    issuer_key = serialization.load_pem_private_key(authority.private_pem, None)
    if not isinstance(issuer_key, ec.EllipticCurvePrivateKey):
        raise TypeError("the authority's key is not an elliptic-curve key")
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    certificate = (
        _builder(_name("handover document seal", demo=demo), issuer.subject, key.public_key(), now, _SIGNER_YEARS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(certify=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    return Authority(_private(key), certificate.public_bytes(serialization.Encoding.PEM))


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now: dt.datetime, years: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=365 * years))
    )


def _name(common: str, *, demo: bool) -> x509.Name:
    text = common[: 64 - len(_DEMO)] + (_DEMO if demo else "")
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, certify: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certify,
        content_commitment=not certify,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certify,
        crl_sign=certify,
        encipher_only=False,
        decipher_only=False,
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
