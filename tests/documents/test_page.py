"""The printed page: user text stays text, nothing is fetched, nothing is hidden, both languages are there."""

import hashlib
from pathlib import Path

import pytest

from handover.documents.document import Document, Issued
from handover.documents.errors import DocumentError
from handover.documents.issue import LIMITS, render
from handover.documents.printing import shown, visible
from handover.documents.templates import page
from handover.sandbox import Limits
from tests.documents.sample import HOSTILE, LONG_NAME, OVERRIDE, document, poppler, text_of

DIGEST = "0" * 64
A4_WIDTH_POINTS, MARGIN_POINTS = 595.3, 65.2


@pytest.fixture(scope="module")
def text(issued: Issued, tmp_path_factory: pytest.TempPathFactory) -> str:
    return text_of(issued.pdf, tmp_path_factory.mktemp("page"))


def test_the_same_facts_give_the_same_bytes_before_the_seal(printed: Document) -> None:
    twin = printed.twin()
    first, second = (render(printed, twin, hashlib.sha256(twin).hexdigest()) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    "literal", ["<script>alert(1)</script>", "{{7*7}}", "{%raw%}", "</style>", "url(file:///etc/passwd)"]
)
def test_text_of_users_is_literal(text: str, literal: str) -> None:
    assert literal in text
    assert "root:x:0" not in text


@pytest.mark.parametrize("name", ["张䶮", "O'Brien", LONG_NAME])
def test_rare_quoted_and_long_names_are_printed_whole(text: str, name: str) -> None:
    assert name in text


def test_a_character_that_reorders_text_is_printed_as_its_code_point(text: str) -> None:
    assert OVERRIDE.replace("\u202e", "U+202E") in text


@pytest.mark.parametrize("hidden", ["\u200b", "\u2066", "\ufeff", "\xad", "\x00", "\U000e0041", "\u2028"])
def test_a_character_that_nobody_sees_is_printed_as_its_code_point(hidden: str) -> None:
    assert f"U+{ord(hidden):04X}</span>" in visible(f"a{hidden}b")


def test_a_character_that_no_font_draws_is_printed_as_its_code_point(text: str) -> None:
    assert "[U+20BB7]野" in text


def test_times_are_printed_in_utc_and_shanghai(text: str) -> None:
    assert "2026-11-2301:02:03UTC·2026-11-2309:02:03Asia/Shanghai" in text
    assert "2026-11-2216:30:00UTC·2026-11-2300:30:00Asia/Shanghai" in text
    assert "2026-13-45T00:00:00Z" in shown("2026-13-45T00:00:00Z")


@pytest.mark.parametrize(
    "block",
    ["销毁证明", "Destructioncertificate", "HO-2026-0007", "资产转让assettransfer", "91310000MA1FL0000X", "systemoperator",
     "c" * 64, "Trainingoftheexecutor", "PIPLArt.47", "监销人", "Copiesoutsidetheregister", "不排除登记之外的副本",
     "itisnoparty'ssignature", "PAdESB-B", "notimestamp", "handover0.1.0", "第1页", "Page1of", "DEMO演示",
     "/api/v1/verify/DST-HO-2026-0007-A1B2C3-1"],
)  # fmt: skip
def test_the_common_block_is_on_the_page(text: str, block: str) -> None:
    assert block in text


def test_no_value_stands_under_the_head_of_another(printed: Document) -> None:
    html = page(printed, DIGEST)
    head, _, body = html.partition('<thead><tr><th scope="col"><bdi class="short">副本</bdi>')[2].partition("</thead>")
    assert head.count("<th ") == 2
    first, second = body.split("</tbody>")[0].split("</tr>")[:2]
    assert first.count("<td>") == second.count("<td>") == 3
    assert second.index("—") < second.index("only here")


def test_a_word_of_any_length_stays_on_the_page(tmp_path: Path) -> None:
    row = {f"column_{n}": "W" * 120 for n in range(9)} | {"entity": "key_destruction", "person": "周桂兰"}
    twin = (wide := document({"copies": [row], "word": "M" * 3000})).twin()
    path = tmp_path / "wide.pdf"
    path.write_bytes(render(wide, twin, DIGEST))
    words = [w for w in poppler("pdftotext", "-bbox", str(path), "-").splitlines() if "<word" in w]
    edges = [float(w.split('xMax="')[1].split('"')[0]) for w in words if "MM" in w or "WW" in w]
    assert edges
    assert max(edges) <= A4_WIDTH_POINTS - MARGIN_POINTS + 1


def test_a_document_that_is_no_demo_does_not_say_demo(printed: Document) -> None:
    assert "DEMO" not in page(document(demo=False), DIGEST)


@pytest.mark.parametrize("tag", ["<img src=", "<link ", "<iframe", "<object", "@import"])
def test_markup_in_facts_never_becomes_markup(tag: str) -> None:
    plain, hostile = (
        page(document({"note": ""}), DIGEST),
        page(document({"note": f'{tag}"file:///etc/passwd">'}), DIGEST),
    )
    assert hostile.count(tag) == plain.count(tag) + (tag == "@import")


def test_every_picture_on_the_page_is_inside_the_page() -> None:
    html = page(document({"reason": HOSTILE}), DIGEST)
    assert all(part.startswith('"data:image/svg+xml;base64,') for part in html.split("src=")[1:])


def test_fonts_are_embedded_and_attachments_listed(issued: Issued, tmp_path: Path) -> None:
    path = tmp_path / "document.pdf"
    path.write_bytes(issued.pdf)
    fonts = poppler("pdffonts", str(path)).splitlines()[2:]
    assert any("Noto-Sans-SC" in line for line in fonts)
    assert all(line.split()[-5:-2] == ["yes", "yes", "yes"] for line in fonts)
    listed = poppler("pdfdetach", "-list", str(path))
    assert "facts.json" in listed
    assert "checkpoint.txt" in listed


def test_it_is_a_tagged_archive_file(issued: Issued, tmp_path: Path) -> None:
    path = tmp_path / "document.pdf"
    path.write_bytes(issued.pdf)
    assert "Tagged:          yes" in poppler("pdfinfo", str(path))
    metadata = poppler("pdfinfo", "-meta", str(path))
    assert 'pdfaid:part="3"' in metadata or "<pdfaid:part>3<" in metadata
    assert 'pdfaid:conformance="B"' in metadata or "<pdfaid:conformance>B<" in metadata


def test_a_table_too_large_to_set_fails_alone_and_says_which_document() -> None:
    huge = document({"copies": [{"copy": f"c-{n}", "sha256": f"{n:064x}"} for n in range(10_000)]})
    with pytest.raises(DocumentError, match="DST-HO-2026-0007-A1B2C3-1 could not be rendered"):
        render(huge, huge.twin(), DIGEST, limits=Limits(wall_seconds=2, cpu_seconds=2, readable=LIMITS.readable))
