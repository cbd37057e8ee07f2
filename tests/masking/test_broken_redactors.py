"""The second scan finds what a careless redactor leaves behind: it does not trust the writer that it checks."""

import io

import pikepdf
import pytest

from handover.masking import default_policy, residual_isolated
from tests.formats import document_samples as samples
from tests.formats.document_samples import HIDDEN, SECOND, VISIBLE

pytestmark = pytest.mark.usefixtures("without_children")


def leftover(output: bytes, source: bytes, name: str) -> dict[str, int]:
    report = residual_isolated(lambda: [output], name, default_policy(), source=lambda: [source])
    return report.leftover_fields


def test_box_over_text_is_no_redaction() -> None:
    def boxed(document: pikepdf.Pdf) -> None:
        page = document.pages[0]
        page.contents_add(document.make_stream(b"q 0 g 0 0 2000 2000 re f Q"), prepend=False)

    source = samples.pdf()
    assert leftover(samples.changed(source, boxed), source, "a.pdf")["body"] == 2


def test_metadata_that_was_kept_is_found() -> None:
    clean = samples.pdf("<p>没有个人信息</p>")
    assert "metadata.author" in leftover(clean, samples.pdf(), "a.pdf")


@pytest.mark.parametrize(
    ("part", "field"),
    [("word/comments.xml", "comments"), ("docProps/core.xml", "metadata.creator"), ("word/document.xml", "body")],
)
def test_docx_part_that_was_forgotten_is_found(part: str, field: str) -> None:
    source = samples.docx_parts()
    replaced = {name: _without(content) if name != part else content for name, content in source.items()}
    assert field in leftover(samples.zipped(replaced), samples.zipped(source), "a.docx")


def test_value_split_over_runs_is_found_when_the_redactor_missed_it() -> None:
    source = samples.docx_parts()
    # A redactor that looks at one run at a time replaces whole numbers only.
    output = {name: _without(content) for name, content in source.items()}
    assert b"1234" in samples.zipped({"a": output["word/document.xml"]}) or "1234" in str(output["word/document.xml"])
    assert leftover(samples.zipped(output), samples.zipped(source), "a.docx")["body"] == 1


def test_comment_of_a_workbook_that_was_kept_is_found() -> None:
    source = samples.xlsx()
    assert "(comments)" in leftover(source, source, "a.xlsx")


def _without(content: str | bytes) -> str:
    text = content if isinstance(content, str) else content.decode()
    for value in (VISIBLE, SECOND, HIDDEN, "13612345678", "王小明", "赵丽"):
        text = text.replace(value, "[gone]")
    return text


def test_text_hidden_behind_a_replaced_page_is_found() -> None:
    """Pages appended by a later revision are pages."""
    source = samples.pdf()
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(samples.pdf("<p>空</p>"))) as document, pikepdf.open(io.BytesIO(source)) as other:
        document.pages.extend(other.pages)
        document.save(buffer)
    assert leftover(buffer.getvalue(), source, "a.pdf")["body"] == 2
