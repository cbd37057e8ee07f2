"""A document holds as it was issued, byte for byte, or it is refused with what is wrong."""

import io
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer

from handover.documents.document import Document, Issued
from handover.documents.errors import DocumentVerificationError
from handover.documents.issue import render
from handover.documents.verify import verify_pdf
from handover.vault.signers import PdfSigningKey
from tests.documents.conftest import make_signer
from tests.documents.sample import poppler

_SEED = 20261123
_FLIPS, _CONTAINER_FLIPS = 40, 20


def test_a_document_says_what_it_is_and_who_sealed_it(printed: Document, issued: Issued, signer: PdfSigningKey) -> None:
    found = verify_pdf(issued.pdf, ca_pem=signer.chain_pem)
    assert (found.kind, found.number, found.level, found.pinned) == (printed.kind, printed.number, "B-B", True)
    assert found.facts == printed.facts
    assert found.twin == issued.twin
    assert found.checkpoint == printed.checkpoint
    assert found.title == {"zh": "销毁证明", "en": "Destruction certificate"}
    assert "DEMO 演示" in found.signer
    assert found.timestamp is None


def test_without_an_authority_the_signer_is_not_pinned(issued: Issued) -> None:
    assert verify_pdf(issued.pdf, ca_pem=None).pinned is False


def test_another_installations_seal_is_refused_where_the_authority_is_pinned(issued: Issued) -> None:
    with pytest.raises(DocumentVerificationError, match="pinned authority"):
        verify_pdf(issued.pdf, ca_pem=make_signer("another").chain_pem)


def test_a_document_without_a_seal_is_refused(printed: Document) -> None:
    plain = render(printed, printed.twin(), "0" * 64)
    with pytest.raises(DocumentVerificationError, match="0 signatures"):
        verify_pdf(plain, ca_pem=None)


def test_any_changed_byte_is_found(issued: Issued, signer: PdfSigningKey) -> None:
    for position in random.Random(_SEED).sample(range(len(issued.pdf)), _FLIPS):
        _refuse(issued.pdf, position, signer.chain_pem)


@pytest.mark.parametrize("pinned", [True, False])
def test_a_changed_byte_in_the_seals_own_container_is_found(
    issued: Issued, signer: PdfSigningKey, *, pinned: bool
) -> None:
    """No signature covers it: outer fields, certificates, padding."""
    _, start, end, _ = next(iter(PdfFileReader(io.BytesIO(issued.pdf)).embedded_signatures)).byte_range
    outer, others = range(start + 1, start + 90, 5), random.Random(_SEED).sample(range(start, end), _CONTAINER_FLIPS)
    for position in [*outer, *others, end - 1]:
        _refuse(issued.pdf, position, signer.chain_pem if pinned else None)


def _refuse(data: bytes, position: int, authority: bytes | None) -> None:
    damaged = bytearray(data)
    damaged[position] ^= 0x01
    with pytest.raises(DocumentVerificationError):
        verify_pdf(bytes(damaged), ca_pem=authority)


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.97, 0.9999])
def test_a_document_cut_short_is_refused(issued: Issued, signer: PdfSigningKey, share: float) -> None:
    with pytest.raises(DocumentVerificationError):
        verify_pdf(issued.pdf[: int(len(issued.pdf) * share)], ca_pem=signer.chain_pem)


def _with_another_page(data: bytes) -> bytes:
    writer = IncrementalPdfFileWriter(io.BytesIO(data), strict=False)
    contents = writer.add_object(generic.StreamObject(stream_data=b"BT ET"))
    page = generic.DictionaryObject(
        {
            generic.pdf_name("/Type"): generic.pdf_name("/Page"),
            generic.pdf_name("/MediaBox"): generic.ArrayObject(map(generic.NumberObject, (0, 0, 595, 842))),
            generic.pdf_name("/Resources"): generic.DictionaryObject(),
            generic.pdf_name("/Contents"): contents,
        }
    )
    writer.insert_page(page)
    return _written(writer)


def _with_another_title(data: bytes) -> bytes:
    writer = IncrementalPdfFileWriter(io.BytesIO(data), strict=False)
    writer.root[generic.pdf_name("/Lang")] = generic.pdf_string("en")
    writer.update_root()
    return _written(writer)


def _saved_again(data: bytes) -> bytes:
    return _written(copy_into_new_writer(PdfFileReader(io.BytesIO(data), strict=False)))


def _written(writer: object) -> bytes:
    out = io.BytesIO()
    writer.write(out)  # type: ignore[attr-defined]
    return out.getvalue()


@pytest.mark.parametrize(
    "change",
    [
        _with_another_page,
        _with_another_title,
        _saved_again,
        lambda data: data + b"\n",
        lambda data: data + b"\n%%EOF\n",
        lambda data: data + data,
        lambda data: b"\n" + data,
    ],
)
def test_whatever_is_added_afterwards_is_refused(
    issued: Issued, signer: PdfSigningKey, change: Callable[[bytes], bytes]
) -> None:
    for authority in (signer.chain_pem, None):
        with pytest.raises(DocumentVerificationError):
            verify_pdf(change(issued.pdf), ca_pem=authority)


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n", b"%PDF-1.7\n%%EOF", b"PK\x03\x04", b"\x00" * 4096])
def test_what_is_no_document_is_refused(data: bytes) -> None:
    with pytest.raises(DocumentVerificationError):
        verify_pdf(data, ca_pem=None)


def test_a_damaged_file_is_told_in_one_error_and_no_trace(issued: Issued, tmp_path: Path) -> None:
    path = tmp_path / "damaged.pdf"
    path.write_bytes(issued.pdf.replace(b"%PDF-1.7", b"%PDF-1.6"))
    told = subprocess.run(
        [sys.executable, "-m", "handover", "verify", str(path)], capture_output=True, text=True, check=False
    )
    assert told.returncode == 6
    assert "DOES NOT HOLD" in told.stdout
    assert told.stderr == ""


def test_verifying_loads_nothing_of_the_service() -> None:
    code = "import handover.documents.verify, sys; print([m for m in ('weasyprint', 'jinja2', 'litestar', 'sqlalchemy', 'segno') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_an_authority_that_is_no_certificate_is_named(issued: Issued) -> None:
    with pytest.raises(DocumentVerificationError, match=r"ca\.pem"):
        verify_pdf(issued.pdf, ca_pem=b"not a certificate")


def test_a_foreign_reader_finds_the_seal_valid_and_over_the_whole_file(issued: Issued, tmp_path: Path) -> None:
    path = tmp_path / "document.pdf"
    path.write_bytes(issued.pdf)
    said = poppler("pdfsig", str(path))
    assert "Signature is Valid." in said
    assert "Total document signed" in said
    assert "ETSI.CAdES.detached" in said
