"""Accepts tracked changes and takes out what no reader of the printed document sees."""

import re
from collections.abc import Iterable
from typing import Any

from handover.formats.docx.names import R, W
from handover.formats.errors import refuse

_REMOVED = frozenset(
    W + name
    for name in (
        *("del", "moveFrom", "commentRangeStart", "commentRangeEnd", "commentReference", "annotationRef", "proofErr"),
        *("permStart", "permEnd", "dataBinding", "smartTagPr", "customXmlPr", "cellDel", "cellMerge", "embedRegular"),
        *("moveFromRangeStart", "moveFromRangeEnd", "moveToRangeStart", "moveToRangeEnd", "cellIns", "rsids", "rsid"),
        *("rPrChange", "pPrChange", "sectPrChange", "tblPrChange", "trPrChange", "tcPrChange", "tblGridChange"),
        *(
            "tblPrExChange",
            "numberingChange",
            "customXmlInsRangeStart",
            "customXmlInsRangeEnd",
            "customXmlDelRangeStart",
        ),
        *("customXmlDelRangeEnd", "customXmlMoveFromRangeStart", "customXmlMoveFromRangeEnd"),
        *("customXmlMoveToRangeStart", "customXmlMoveToRangeEnd", "printerSettings", "saveThroughXslt"),
    )
)
#: The same again for older programs; every program of today reads the choice before it.
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
#: Signs that nobody sees: a number with one of them inside would not be found, and nothing is lost without them.
_UNSEEN = re.compile("[\u00ad\u200b\u200c\u2060\ufeff]")
_UNWRAPPED = frozenset(W + name for name in ("ins", "moveTo", "smartTag", "customXml"))
_REFUSED = {
    W + "altChunk": "altChunk",
    W + "object": "OLE",
    W + "control": "ActiveX",
    W + "contentPart": "ink",
    W + "subDoc": "subDoc",
}
_DELETED = (W + "del", W + "moveFrom")
_TEXTS = frozenset({W + "t", W + "delText", W + "instrText", W + "delInstrText"})
_LINKS_OF_SHAPES = ("hlinkClick", "hlinkHover", "hlinkMouseOver")
_PERSONAL = frozenset({"author", "initials", "paraId", "textId", "providerId", "userId"})


def clean(root: Any, relationships: frozenset[str]) -> list[str]:
    """Cleans a part in place.

    Args:
        relationships: ids that the output still has.

    Returns:
        The texts of tracked deletions, one for each.

    Raises:
        FormatRefusedError: an embedded object, or content in another format.
    """
    deleted = list(_take_deleted(root))
    for element in list(root.iter()):
        tag = element.tag
        if tag in _REFUSED:
            raise refuse(
                f"文档里有嵌入的对象（{_REFUSED[tag]}），无法检查。请删除后另存。",
                f"The document holds an embedded object ({_REFUSED[tag]}), which can't be inspected. Save a copy without it.",
            )
        if tag in _REMOVED or tag == _FALLBACK:
            _remove(element)
        elif tag in _UNWRAPPED:
            unwrap(element)
        else:
            _clean_attributes(element, relationships)
            if element.text and element.tag in _TEXTS:
                element.text = _UNSEEN.sub("", element.text)
    return deleted


def _take_deleted(root: Any) -> Iterable[str]:
    for mark in list(root.iter(W + "trPr")):
        if mark.find(W + "del") is not None:
            row = mark.getparent()
            yield _text(row)
            _remove(row)
    for element in list(root.iter(*_DELETED)):
        if text := _text(element):
            yield text


def _text(element: Any) -> str:
    return "".join(node.text or "" for node in element.iter(*_TEXTS))


def _clean_attributes(element: Any, relationships: frozenset[str]) -> None:
    for name, value in list(element.attrib.items()):
        local = name.rpartition("}")[2]
        if local.startswith("rsid") or local in _PERSONAL:
            del element.attrib[name]
        elif name.startswith(R) and value not in relationships:
            _unlink(element, name)
            return


def _unlink(element: Any, attribute: str) -> None:
    """An element whose relationship is gone: a link's text stays, all else goes."""
    if element.tag == W + "hyperlink":
        unwrap(element)
    elif attribute == R + "link" or element.tag.rpartition("}")[2] not in _LINKS_OF_SHAPES:
        del element.attrib[attribute]
    else:
        _remove(element)


def _remove(element: Any) -> None:
    parent = element.getparent()
    if parent is not None:
        _keep_tail(element, parent)
        parent.remove(element)


def unwrap(element: Any) -> None:
    """Puts an element's children in its place."""
    parent = element.getparent()
    if parent is None:
        return
    _keep_tail(element, parent)
    at = parent.index(element)
    children = list(element)
    parent.remove(element)
    parent[at:at] = children


def _keep_tail(element: Any, parent: Any) -> None:
    """Text behind an element is not part of it; WordprocessingML has only spaces there."""
    if element.tail:
        before = element.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + element.tail
        else:
            parent.text = (parent.text or "") + element.tail
        element.tail = None
