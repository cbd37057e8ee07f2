"""Names in Latin script: a row of capitalised words is weighed by the name lists and by what stands around it.

A given name that is no ordinary word and no place is a name by itself; everything else needs a second sign: a surname beside
it, an initial, a title or a cue (“my name is”, “Dear”). Companies, places and headings are what it must not take.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from handover.detection.names.cues import (
    ACTING_CUE,
    AFTER_NAME,
    COMPANIES,
    LEADING,
    LISTED,
    NO_NAME_BEFORE,
    ORGANISATION,
    SAYS,
    STRONG_CUE,
    TITLES,
    WEAK_CUE,
)
from handover.detection.names.lexicon import names, ordinary_words, places, plain
from handover.detection.names.pinyin import PINYIN_SURNAMES, TWO_SYLLABLES
from handover.detection.patterns import compile_late
from handover.detection.spans import Span
from handover.detection.terms import matches_after

_LETTER = "A-Za-zÀ-ÖØ-öø-ɏ"
_CAPITAL = "A-ZÀ-ÖØ-ÞĀ-Ž"
_TOKEN = rf"[{_CAPITAL}](?:\.(?![{_LETTER}]{{2}})|[{_LETTER}]*(?:(?!['’]s(?![{_LETTER}]))['’-][{_LETTER}]+)*)"
_PARTICLES = "van|von|de|der|den|del|della|di|da|dos|du|la|le|bin|bint|al|el|ten|ter|af|zu"
PARTICLES = frozenset(_PARTICLES.split("|"))
_PARTICLE = f"(?:{_PARTICLES}) "
_ROW = compile_late(
    rf"(?<![{_LETTER}0-9_@.&/#-]){_TOKEN}(?:(?<=Mr|Ms|Dr)\.|(?<=Mrs)\.|(?<=Prof)\.)?"
    rf"(?: {{1,2}}(?:{_PARTICLE}){{0,2}}{_TOKEN}(?![{_LETTER}0-9_@])){{0,7}}"
)
_WORD = compile_late(rf"{_TOKEN}")
_SURE = 2.0
_CUE_REACH = 28
#: A longer row of words that no list holds is a foreign sentence or a heading.
_MOST_UNKNOWN = 3
#: Weights of a word: given name, surname, and the same where the word is also something else.
_GIVEN, _SURNAME, _WEAK_GIVEN, _WEAK_SURNAME, _UNKNOWN, _PLACE = 2.0, 2.0, 1.0, 0.6, 0.75, 0.3
#: Of a word that looks like an ordinary one: it ends a name unless a given name stands before it (Xiao Ming, Marcel Desailly).
_LOOKS_ORDINARY = -0.5
#: Before a surname N. may be north.
_COMPASS = frozenset(("n.", "s.", "e.", "w."))
_TRADE_MARK = compile_late(r"(?<!\bMc)(?<!\bMac)(?<!\b[A-Z][a-z])(?<=[a-z])[A-Z]")
#: An English word that the list of ordinary ones does not hold.
_ENGLISH_ENDING = compile_late(
    r"[a-z]{3}(?:ly|ing|ed|ness|tions?|sions?|ary|ies|ful|less|able|ible|ments?|ity|ics?|ical|ous|ive|ales|ware|soft|tech|pay|card|bank|source|check|point)\Z"
)
#: A name in small letters is looked for behind these alone.
SMALL_CUES = ("name is", "name's", "name:", "this is", "i am", "i'm", "follow up with", "call me", "calls me", "user:")
_SMALL = compile_late(
    rf" *(?:[dm]rs?\.? )?([a-zß-ÿ][{_LETTER}'-]+(?: [a-z]\.?(?![a-zß-ÿ]))?(?: [a-zß-ÿ][{_LETTER}'-]+)?)"
)
_SMALL_WORD = compile_late(r"[^ ]+")
_SHORTEST_SURNAME = 4
_AND_PARTNER, _PARTNER_AND = compile_late(" & [A-Z]"), compile_late("[A-Za-z] & \\Z")
_GERMAN = compile_late(
    r"(?<![A-Za-z])(?:der|die|das|und|ist|nicht|ein|eine[mnrs]?|mit|von|vom|für|auf|zu|zum|zur|dem|des|im|wird|wurden?|werden|sich|als|bei|nach|aus|oder|auch|dass|über|hat|haben)(?![A-Za-z])"
)
_AROUND, _GERMAN_WORDS = 80, 3
#: How surnames end that no list holds all of.
_ENDING = compile_late(
    r"(?:[^aeiou](?:ova|eva)|ov[aá]|[eo]v|sk[iya]|czyk|wicz|ss?on|sen|d[oó]ttir|ić|vich|nen|escu|[ae]n?yan|shvili|dze|berg|stein|mann|quist|gren|str[oö]m|g[aå]rd|lund|huis|sma|stra)\Z"
)


class _Word(NamedTuple):
    start: int
    end: int
    plain: str
    flags: str
    #: How much of a name it is by itself; 0 for an initial, negative for a word that ends a name.
    weight: float


def find(text: str) -> Iterator[Span]:
    """Names of persons in folded text."""
    others = no_names()
    for row in _ROW.finditer(text):
        # Most rows are ordinary words at the start of a sentence: they are passed over before anything is built.
        if not others.issuperset(row[0].lower().split()):
            yield from _in_row(text, [_word(match) for match in _WORD.finditer(text, *row.span())])
    yield from _in_small_letters(text)


@cache
def no_names() -> frozenset[str]:
    """Words that are never part of a name."""
    return ordinary_words() | LEADING | ORGANISATION | TITLES


def plain_words() -> frozenset[str]:
    """Those that are no part of a name with a hyphen either."""
    return frozenset(word for word in no_names() if word not in names() and not _ENDING.search(word))


def _in_small_letters(text: str) -> Iterator[Span]:
    """Names that are not capitalised, behind a cue that leaves no doubt."""
    for match in matches_after(text, SMALL_CUES, _SMALL):
        start = end = match.start(1)
        for index, word in enumerate(_SMALL_WORD.finditer(text, start, match.end(1))):
            flags = names().get(plain(word[0]), "")
            initial = index > 0 and len(word[0].rstrip(".")) == 1
            if not initial and (word[0] in no_names() or (index == 0 and ("g" not in flags or len(flags) > 2))):
                break
            end = word.end()
        if end > start:
            yield Span(start, end, "person_name", 0.7)


def _word(match: re.Match[str]) -> _Word:
    word, (start, end) = match[0], match.span()
    low = plain(word)
    if low in no_names():
        return _Word(start, end, low, "", -1.0)
    if len(word.rstrip(".")) == 1:
        return _Word(start, end, low, "", 0.0)
    known = names()
    flags = known.get(low, "")
    if not flags and ("-" in low or "'" in low):
        flags = max((known.get(part, "") for part in re.split("[-']", low)), key=len)
    if not flags and low in places():
        flags = "p"
    if _is_no_name(word, flags):
        return _Word(start, end, low, flags, -1.0)
    looks_ordinary = not flags and not word.isupper() and _ENGLISH_ENDING.search(word) is not None
    return _Word(start, end, low, flags, _LOOKS_ORDINARY if looks_ordinary else _weight(word, flags))


def _is_no_name(word: str, flags: str) -> bool:
    """Abbreviations (TD, GMAC) and trade marks (SunTrust); McDonald, MacLeod and LeBatelier are names."""
    if word.isupper():
        return len(word) < 4 and "g" not in flags
    return not flags and _TRADE_MARK.search(word) is not None


def _weight(word: str, flags: str) -> float:
    if not flags:
        return 0.1 if word.isupper() else _SURNAME if len(word) > 5 and _ENDING.search(word.lower()) else _UNKNOWN
    weak = "o" in flags or "p" in flags
    if "g" in flags:
        return _WEAK_GIVEN if weak else _GIVEN
    if flags == "p":
        return _PLACE
    return _WEAK_SURNAME if weak else _SURNAME


def _in_row(text: str, words: list[_Word]) -> Iterator[Span]:
    """Names between the words of a row that end one."""
    part: list[_Word] = []
    for index, word in enumerate([*words, None]):
        if word is not None and word.weight >= 0:
            part.append(word)
            continue
        if word is not None and word.weight == _LOOKS_ORDINARY and len(part) == 1 and _goes_before(part[0], word):
            part.append(word._replace(weight=_UNKNOWN))
            continue
        if part:
            before = words[index - len(part) - 1] if index > len(part) else None
            yield from _judge(text, part, before, word)
        part = []


def _goes_before(word: _Word, doubtful: _Word) -> bool:
    """Whether a word makes a name of one behind it that looks like an ordinary word."""
    sure_given = word.weight >= _GIVEN and "g" in word.flags
    return sure_given or (word.plain in PINYIN_SURNAMES and TWO_SYLLABLES.match(doubtful.plain) is not None)


def _is_pinyin(words: list[_Word]) -> bool:
    """A Chinese name in Latin letters: a surname and two syllables (Gong Zhichao, Xiaoming Zhang)."""
    if len(words) != 2:
        return False
    first, last = (word.plain.replace("-", "") for word in words)
    return any(a in PINYIN_SURNAMES and TWO_SYLLABLES.match(b) for a, b in ((first, last), (last, first)))


def surnames(text: str) -> Iterator[str]:
    """Surnames of persons whose whole name is found, if they can't well be anything else: they stand alone later."""
    for span in find(text):
        words = text[span.start : span.end].split(" ")
        last = plain(words[-1])
        flags = names().get(last, "")
        given = names().get(plain(words[0]), "")
        sure = "g" in given and not {"o", "p"} & {*given, *flags} and last not in no_names() and last not in places()
        if (
            len(words) > 1
            and sure
            and len(last) >= _SHORTEST_SURNAME
            and last.isalpha()
            and not words[-1].isupper()
            and not _ENGLISH_ENDING.search(last)
        ):
            yield words[-1]


def _judge(text: str, part: list[_Word], before: _Word | None, after: _Word | None) -> Iterator[Span]:
    if (after is not None and after.plain in ORGANISATION) or " ".join(w.plain for w in part) in COMPANIES:
        return
    start, end = part[0].start, part[-1].end
    single = len(part) == 1 and part[0].weight < _SURNAME
    if len(part) == 1 and _is_partner(text, part[0], before):
        return
    if single and after is not None and after.start - end < 2:  # an ordinary word and another: Green Tree
        return
    confidence = _confidence(text, part, before)
    if confidence and _among_german(text, start, end) and not _is_name_in_german(part, before):
        return
    if confidence:
        yield Span(start, end, "person_name", confidence)


def _is_partner(text: str, word: _Word, before: _Word | None) -> bool:
    """Whether a surname is one of a firm's: Procter & Gamble; Anna & Ben are persons."""
    joined = _AND_PARTNER.match(text, word.end) or _PARTNER_AND.search(text, max(0, word.start - 4), word.start)
    return bool(joined) and "s" in word.flags and not (before is not None and before.plain in TITLES)


def _among_german(text: str, start: int, end: int) -> bool:
    """Whether the text around is German, where every noun has a capital."""
    low, high = max(0, start - _AROUND), end + _AROUND
    before, behind = text[low:start].rpartition("\0")[2], text[end:high].partition("\0")[0]
    return len(_GERMAN.findall(before)) + len(_GERMAN.findall(behind)) >= _GERMAN_WORDS


def _is_name_in_german(part: list[_Word], before: _Word | None) -> bool:
    titled = before is not None and before.plain in TITLES
    listed = any(word.flags and word.weight >= _SURNAME for word in part)
    return titled or (listed and len(part) > 1 and _GERMAN.fullmatch(part[0].plain) is None)


def _confidence(text: str, part: list[_Word], before: _Word | None) -> float:
    spelt = [word for word in part if word.weight > 0]
    if not spelt:
        return 0.0
    if not any(word.flags for word in spelt) and (len(spelt) > _MOST_UNKNOWN or any(w.weight < _PLACE for w in spelt)):
        return 0.0
    if _is_pinyin(spelt):
        return 0.85
    score = sum(word.weight for word in spelt)
    if len(part) > len(spelt) and len(part) > 1:
        score += 1.0
    start, end = part[0].start, part[-1].end
    titled = before is not None and before.plain in TITLES
    lead = text[max(0, start - _CUE_REACH) : start]
    given = any("g" in word.flags for word in spelt)
    with_initial = len(part) > len(spelt)
    if part[0].plain in _COMPASS and len(spelt) == 1 and "p" in spelt[0].flags:
        return 0.0  # N. Dakota
    if with_initial and len(spelt) == 1 and part[0].plain[1:] == "." and "s" in spelt[0].flags:
        return 0.7  # C. Cairns
    if titled or STRONG_CUE.search(lead):
        score += 3.0
    elif ACTING_CUE.search(lead):
        score += 1.25
    elif len(part) == 1 and (text[start:end].isupper() or (not given and "-" in text[start:end])):
        return 0.0  # an abbreviation, or a firm of two partners
    elif len(part) == 1 and "s" in spelt[0].flags and "p" not in spelt[0].flags and SAYS.match(text, end):
        score += 2.0
    elif (
        not (with_initial and len(spelt) > 1)
        and any(w.flags for w in spelt)
        and not given
        and all(w.weight < _SURNAME for w in spelt)
    ):
        return 0.0  # surnames that are words: Price List, Page Views
    elif len(part) == 1 and spelt[0].weight < _SURNAME and spelt[0].flags:
        return 0.0
    elif WEAK_CUE.search(lead) or AFTER_NAME.match(text, end) or (given and LISTED.search(lead)):
        score += 1.0
    if NO_NAME_BEFORE.search(lead):
        score -= 1.0
    if len(spelt) > 1:
        score += 0.5
    return (0.85 if titled or score > 3 else 0.7) if score >= _SURE else 0.0
