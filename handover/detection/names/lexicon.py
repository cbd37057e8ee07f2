"""Given names and surnames in Latin script, and words that are none; see README.md beside the lists for their sources."""

import unicodedata
from functools import cache
from importlib.resources import files

_LISTS = files("handover.detection.names")
_MARKS = str.maketrans({"’": "'", "ı": "i"})


def plain(word: str) -> str:
    """The form in which the lists hold a word: lower case, without accents."""
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFKD", word.translate(_MARKS))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).lower()


@cache
def names() -> dict[str, str]:
    """Word → flags: `g` given name, `s` surname, `o` also an ordinary English word, `p` also a place."""
    lines = (_LISTS / "western_names.txt").read_text("utf-8").splitlines()
    return {word: flags for word, _, flags in (line.partition(" ") for line in lines)}


@cache
def ordinary_words() -> frozenset[str]:
    """Ordinary English words that are no names, though a sentence or a heading capitalises them."""
    return frozenset((_LISTS / "ordinary_words.txt").read_text("utf-8").splitlines())


@cache
def places() -> frozenset[str]:
    """Words of the names of larger cities, states and countries that are no names of persons."""
    return frozenset((_LISTS / "places.txt").read_text("utf-8").splitlines())
