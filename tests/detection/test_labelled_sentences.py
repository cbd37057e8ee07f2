"""Sentences written by hand, with hard ones that hold nobody: names and addresses by rules alone, and with the model."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from handover.detection.known import KnownValues
from handover.detection.names import learning, model
from handover.detection.names.learning import NameLearner
from handover.detection.scanner import ColumnScan

_MARKED = re.compile(r"<([pa]):([^>]*)>")
_HAN = re.compile("[一-鿿]")
_KINDS = {"p": "person_name", "a": "address"}
Label = tuple[str, int, int]


def _sentences() -> list[tuple[str, list[Label]]]:
    lines = (Path(__file__).parent / "labelled_sentences.txt").read_text("utf-8").splitlines()
    return [_parsed(line.replace("\\n", "\n")) for line in lines if not line.startswith("#")]


def _parsed(line: str) -> tuple[str, list[Label]]:
    text, labels, done = "", [], 0
    for mark in _MARKED.finditer(line):
        text += line[done : mark.start()]
        labels.append((_KINDS[mark[1]], len(text), len(text) + len(mark[2])))
        text += mark[2]
        done = mark.end()
    return text + line[done:], labels


def _quality(kind: str, *, chinese: bool) -> tuple[float, float, list[str]]:
    chosen = [(text, labels) for text, labels in _sentences() if bool(_HAN.search(text)) is chinese]
    known = KnownValues()
    learner = NameLearner(known)
    learner.read(text for text, _ in chosen)
    learner.finish()
    hits = ColumnScan("free_text", known=known).find([text for text, _ in chosen])
    found = wanted = wrong = 0
    errors = []
    for index, (text, labels) in enumerate(chosen):
        got = [(s.start, s.end) for s in hits.get(index, []) if s.kind == kind]
        places = [(start, end) for name, start, end in labels if name == kind]
        missed = [place for place in places if not _touches(place, got, 0.5)]
        extra = [one for one in got if not _touches(one, places, 0.01)]
        errors += [f"missed {text[a:b]!r} in {text!r}" for a, b in missed]
        errors += [f"took {text[a:b]!r} in {text!r}" for a, b in extra]
        found, wanted, wrong = found + len(places) - len(missed), wanted + len(places), wrong + len(extra)
    return found / max(1, found + wrong), found / wanted, errors


def _touches(one: tuple[int, int], others: Iterable[tuple[int, int]], share: float) -> bool:
    return any(min(one[1], end) - max(one[0], start) >= share * (one[1] - one[0]) for start, end in others)


@pytest.mark.parametrize(
    ("kind", "chinese", "precision", "recall"),
    [
        ("person_name", True, 0.95, 0.9),
        ("address", True, 0.95, 0.95),
        ("person_name", False, 0.95, 0.9),
        ("address", False, 0.95, 0.9),
    ],
)
def test_rules_alone_find_names_and_addresses(
    kind: str, chinese: bool, precision: float, recall: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "is_installed", lambda: False)
    measured = _quality(kind, chinese=chinese)
    assert measured[0] >= precision, measured[2]
    assert measured[1] >= recall, measured[2]


@pytest.mark.skipif(not model.is_installed(), reason="the extra handover[names] is not installed")
def test_the_model_finds_names_that_no_cue_introduces() -> None:
    precision, recall, errors = _quality("person_name", chinese=True)
    assert precision >= 0.95, errors
    assert recall >= 0.95, errors
