"""One signer and one issued document for the whole room: a document costs a child process."""

import pytest

from handover.documents import ca
from handover.documents.document import Document, Issued
from handover.documents.issue import issue
from handover.vault.signers import PdfSigningKey
from tests.documents.sample import document


@pytest.fixture(scope="session")
def signer() -> PdfSigningKey:
    return make_signer("test-installation")


@pytest.fixture(scope="session")
def printed() -> Document:
    return document()


@pytest.fixture(scope="session")
def issued(printed: Document, signer: PdfSigningKey) -> Issued:
    return issue(printed, signer)


def make_signer(installation: str) -> PdfSigningKey:
    authority = ca.create_authority(installation, demo=True)
    seal = ca.issue_pdf_signer(authority, demo=True)
    return PdfSigningKey(
        private_pem=seal.private_pem,
        certificate_pem=seal.certificate_pem,
        chain_pem=authority.certificate_pem,
    )
