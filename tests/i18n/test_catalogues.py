"""Every sentence of pages and mails has its Chinese, and says the same with the same values in it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from handover.i18n.catalogue import FOLDER, catalogue

ROOT = Path(__file__).resolve().parents[2]
_PLACES = re.compile(r"%\([a-z_]+\)s|%s|\{[a-z_0-9]*\}")


def sentences() -> Iterator[tuple[str, str]]:
    """Every sentence marked for translation, with the file that it stands in."""
    for folder, method in (
        ("handover", [("**/*.py", "python")]),
        ("templates", [("**/*.html", "jinja2"), ("**/*.txt", "jinja2")]),
    ):
        found = extract_from_dir(
            ROOT / folder,
            method_map=method,
            options_map={"**/*.html": {"trimmed": "true", "silent": "false"}},
            keywords={"_": None, "gettext": None, "ngettext": (1, 2)},
        )
        for file, _line, message, _comments, _context in found:
            for one in message if isinstance(message, tuple) else (message,):
                yield one, f"{folder}/{file}"


@pytest.fixture(scope="module")
def marked() -> dict[str, str]:
    return dict(sentences())


def test_every_sentence_has_its_chinese(marked: dict[str, str]) -> None:
    chinese = catalogue("zh")
    plurals = {m.id[1] for path in FOLDER.glob("*.po") for m in _entries(path) if isinstance(m.id, tuple)}
    missing = {text: file for text, file in marked.items() if text not in plurals and chinese.gettext(text) == text}
    assert len(marked) > 50
    assert missing == {}


def test_values_stand_in_both_languages(marked: dict[str, str]) -> None:
    chinese = catalogue("zh")
    different = [t for t in marked if sorted(_PLACES.findall(t)) != sorted(_PLACES.findall(chinese.gettext(t)))]
    plurals = [t for t in different if "%(num)s" in t or "%(count)s" in t]
    assert [t for t in different if t not in plurals] == []


def test_no_two_areas_translate_a_sentence_differently() -> None:
    seen: dict[str, tuple[str, str]] = {}
    for path in sorted(FOLDER.glob("*.po")):
        for message in _entries(path):
            kept = seen.setdefault(str(message.id), (str(message.string), path.name))
            assert kept[0] == str(message.string), f"{message.id}: {kept[1]} and {path.name}"


def test_no_entry_is_left_over_or_unfinished(marked: dict[str, str]) -> None:
    for path in sorted(FOLDER.glob("*.po")):
        if path.stem == "errors":
            continue
        for message in _entries(path):
            source = message.id if isinstance(message.id, str) else message.id[0]
            assert source in marked, f"{path.name}: {source!r} is used nowhere"
            assert not message.fuzzy, f"{path.name}: {source!r} is fuzzy"


def _entries(path: Path) -> list[Message]:
    with path.open("rb") as file:
        return [message for message in read_po(file) if message.id]
