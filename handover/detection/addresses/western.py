"""Postal addresses in Latin script: a street line, a box or a corner, and what follows it down to postcode and country.

A street line that says street by itself (“12 Main Street”, “Hauptstraße 5”, “rue de la Paix 3”) is an address; a number
and capitalised words are one only with a unit or a postcode behind them.
"""

import re
from collections.abc import Iterator

from handover.detection.names.cues import LEADING
from handover.detection.names.lexicon import ordinary_words, plain
from handover.detection.names.western import find as find_names
from handover.detection.names.western import no_names
from handover.detection.patterns import compile_late
from handover.detection.spans import Span

_LETTER = "A-Za-zÀ-ÖØ-öø-ɏΆ-ώ"
_DOT = r"\.?"
_WORD = rf"[A-ZÀ-ÖØ-ÞĀ-ŽȘȚΑ-ΩΆ-Ώ][{_LETTER}'’-]{{0,24}}" + _DOT
_NUMBER = "[0-9]{1,6}(?:[-/][0-9]{1,5})?[A-Za-z]?"
_SUFFIX = (
    "(?:Street|Streets|St|Avenue|Ave|Av|Road|Rd|Drive|Dr|Lane|Ln|Boulevard|Blvd|Court|Ct|Way|Place|Pl|Terrace|Ter|Circle|Cir"
    "|Parkway|Pkwy|Highway|Hwy|Square|Sq|Trail|Trl|Close|Crescent|Cres|Grove|Gardens|Mews|Row|Walk|Loop|Plaza|Alley|Turnpike|Tpke"
    "|Pike|Quay|Parade|STREET|ST|AVENUE|AVE|ROAD|RD|DRIVE|DR|LANE|LN|BLVD|COURT|CT|WAY|PL|HWY|PKWY)"
)
_DIRECTION = "(?:[NSEW]{1,2}|North|South|East|West|Northeast|Northwest|Southeast|Southwest)"
_ORDINAL = "[0-9]{1,3}(?:st|nd|rd|th|ST|ND|RD|TH)"
#: A word that does not also stand before other numbers (months, parts of a text).
_PROPER = rf"(?!(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Section|Page|Chapter|Part|Item|Step|Article|Line|Level|Version|Windows|No|Form|Phase|Class|Grade|Area|Days?|Years?|Months?|Hours?|In|On|At|By|To|For|From|The|And|Or|Of|I|A)[a-z]*\b){_WORD}"
_STREET_NAME = (
    r"(?:[Rr]ue|RUE|[Aa]venue|[Bb]oulevard|[Bb]oul\.|[Bb]d|[Pp]lace|[Cc]hemin|[Aa]llée|[Ii]mpasse|[Cc]ours|[Rr]uelle|[Ss]entier|[Rr]oute(?= de)|[Qq]uai|[Vv]ia|[Vv]iale|[Cc]orso|[Pp]iazza|[Cc]alle"
    r"|[Aa]venida|Av\.|[Pp]aseo|[Pp]laza|[Rr]ua|[Tt]ravessa|[Uu]lica|[Uu]l\.|[Aa]l\.|[Cc]arrer|[Ss]trada|An der|Auf der|Am|Im)"
    rf"(?: (?:(?:de la|de l['’]|de los|de las|des|del|della|de|du|do|da|dos|di|la|le|les|el) ?)?{_WORD}){{1,4}}"
)
_STEM = (
    "(?:straße|strasse|str|gasse|weg|platz|allee|ring|damm|ufer|gatan|gata|vägen|gade|vej|veien|vegen|gaten|katu|kuja|tie|straat|laan"
    "|plein|gracht|kade|dreef|singel|hof|hove|vænget|veg|polku)"
)
_STEMMED = rf"[A-ZÀ-ÖØ-ÞĀ-Ž][{_LETTER}'’-]{{1,24}}?{_STEM}"
_BOX = (
    r"(?:(?:[Pp]\.? ?[Oo]\.?|Post(?:al)? ?[Oo]ffice|GPO) ?(?:[Bb]ox|BOX)|Postbox|Postfach|Apartado|Boîte [Pp]ostale|Casella [Pp]ostale) ?#?[0-9]{1,6}"
    r"|(?:PSC|CMR|Unit|USNS|USS) [0-9A-Z][0-9A-Za-z ]{0,18},? Box [0-9]{1,6}"
    rf"|(?:USN[SV]|USS|USCGC) {_WORD}\s+[FAD]PO A[AEP] [0-9]{{4,5}}"
)
_CORNER = compile_late(
    rf"(?:the )?corner of [^\n\0,;]{{3,60}}? (?:and|&) (?:{_WORD}|[0-9]{{1,5}})(?: (?:{_WORD}|[0-9]{{1,5}}\.?)){{0,3}}"
)
#: Street lines that begin with their number and need nothing behind them.
_FIRST = compile_late(
    "(?:"
    + "|".join(
        (
            rf"{_NUMBER},? (?:{_NUMBER} )?(?:{_DIRECTION}\.? )?(?:(?:{_WORD}|{_ORDINAL}) ){{1,4}}?{_SUFFIX}(?![{_LETTER}0-9])(?: (?:{_WORD} )?{_SUFFIX}(?![{_LETTER}0-9]))?\.?(?: {_DIRECTION}\b\.?)?(?: [0-9]{{1,2}}(?= #))?",
            rf"{_NUMBER} (?:{_DIRECTION}\.? )?(?:(?:County|State|US|U\.S\.) )?(?:Highway|Hwy|Route|Rte|County Road|Avenue of the)\.? (?:[0-9]{{1,4}}|{_WORD})",
            rf"{_NUMBER}(?: bis| ter)?,? {_STREET_NAME}(?:,? [0-9]{{1,4}}(?![0-9]))?",
            rf"{_NUMBER} (?:{_WORD} )?{_STEMMED}\.? [0-9]{{1,4}}(?: ?[A-Za-z])?",
            # Another number behind the street's name, or a unit, says what the words do not; 2 Everton 2 is a score.
            rf"[0-9]{{4,6}} (?:{_PROPER} ){{1,4}}[0-9]{{1,5}}\.?(?! ?[0-9-])",
            rf"{_NUMBER} (?:[^\s\0,]{{1,24}} ){{1,5}}(?i:apt|suite)\.? [0-9]{{1,5}}",
        )
    )
    + rf")(?![0-9{_LETTER}])"
)
#: The same with a smaller number, where a word before or the end of a line behind says that it is one.
_FIRST_SMALL = compile_late(rf"[0-9]{{1,3}} (?:{_PROPER} ){{1,4}}[0-9]{{1,5}}\.?(?! ?[0-9-])(?![0-9{_LETTER}])")
_ADDRESS_CUE = compile_late(r"(?:\b(?:[Aa]t|[Tt]o|[Oo]n|[Ii]n|is|of|from|[Aa]ddress)|[:>])\s{1,4}\Z")
#: Street lines and boxes that end with their number.
_LAST = compile_late(
    "|".join(
        (
            rf"{_STREET_NAME},? ?(?:n[°º.]? ?)?[0-9]{{1,5}}[A-Za-z]?",
            rf"{_STEMMED}\.? [0-9]{{1,4}}(?: ?[A-Za-z](?![A-Za-z]))?",
            rf"(?:{_WORD}[ -]){{1,3}}(?:[Ss]tra(?:ß|ss)e|[Ss]tr\.?|Platz|Weg|Allee|utca|u\.|út|útja|tér|körút|terrasse|vei|gate) [0-9]{{1,4}}(?: ?[A-Za-z])?\.?",
            _BOX,
        )
    )
)
#: A number and words, or words and a number, that may be a street line; what follows decides.
_MAYBE_FIRST = compile_late(
    rf"{_NUMBER},? (?:{_NUMBER} )?(?:{_WORD}[ ]){{0,4}}{_WORD}(?: [0-9]{{1,5}}\.?)?(?![0-9{_LETTER}])"
)
_MAYBE_LAST = compile_late(rf"(?:{_WORD} ){{0,2}}(?!Suite|Apt|Unit|Ste|Box|PO){_WORD} [0-9]{{1,5}}")
_DIGITS = compile_late(r"[0-9](?<![0-9A-Za-z_/.$-].)[0-9]{0,5}(?![0-9%:])")
#: How far before its number a street line may begin.
_REACH = 60
_SEPARATOR = compile_late(r"[ \t]*,?[ \t]*\n[ \t>?]*,?[ \t]*(?:\n[ \t>?]*)?|[ \t]*,[ \t]*| {1,3}(?:- )?")
#: Parts of a site and of a post office, when a number or a letter follows: Tower 1, App. 904, Station A.
_PART = r"(?:Tower|Block|Blk|Level|Phase|Wing|Sector|Station|Stn|App|Bureau)\.?"
_UNIT = compile_late(
    r"(?i:apt|apartment|suite|ste|unit|floor|room|rm|flat|building|bldg|box|lot|c/o)\.? ?#? ?[0-9A-Z][0-9A-Za-z-]{0,6}(?![A-Za-z])|#[ ]?[0-9A-Za-z-]{1,9}|[0-9]{1,3}(?:st|nd|rd|th) [Ff]loor"
    rf"|{_PART} (?:[0-9]{{1,4}}[A-Z]?|[A-Z])(?![A-Za-z0-9])"
)
#: A flat or a floor in front of the street line: Flat 2, 14 High Street; 12/F, 39 Wellington Street.
_UNIT_BEFORE = compile_late(
    r"(?<![A-Za-z0-9])(?:(?:Flat|Unit|Suite|Ste|Apt|Apartment|Room|Rm|Level|Floor|Block|Shop|House|No|Lot|RR|Building|Bldg|Tower)[. #]{1,2}(?:[0-9A-Z][0-9A-Za-z/-]{0,5}, ?)?"
    r"|[0-9]{1,3}(?:st|nd|rd|th) [Ff]loor, ?|[0-9]{1,3}/F,? ?){1,4}\Z"
)
_POSTCODE = compile_late(
    r"(?:[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]|(?:D|F|CH|A|L|B|DK|SE|FI|NO|PL|I|E)-[0-9]{4,5}|[0-9]{5}(?:-[0-9]{3,4})?|[0-9]{3} [0-9]{2}|[0-9]{2}-[0-9]{3}|[0-9]{4}(?: [A-Z]{2}\b)?|(?<=Singapore )[0-9]{6})(?![0-9A-Za-z:/.-]?[0-9A-Za-z])"
)
_STATE = compile_late(r"(?:[A-Z]{2,3}|nan|[A-Z]\.[A-Z]\.(?:[A-Z]\.)?)(?![A-Za-z])")
_PLACE_WORD = rf"(?!{_PART} (?:[0-9]|[A-Z]\b))(?:St\.|{_WORD.removesuffix(_DOT)}(?![0-9{_LETTER}]))"
_PLACE = compile_late(
    rf"{_PLACE_WORD}(?: (?:{_PLACE_WORD}|upon|sur|an der|am|im|de la|del|de|di|la|el|al|and)){{0,4}}(?<! and)(?<! de)(?<! la)"
)
_END = compile_late(r"\s*(?:[.,;!?)\"”>]|[\n\0]|\Z|and\b|or\b|but\b|for\b|to\b)")
#: A year stands before a capital by chance: In 2008 The Supreme Court.
_YEAR = compile_late("(?:19|20)[0-9]{2} ")
#: Laws are quoted with a number before and behind (15 USC 1692).
_NO_STREET = compile_late(
    r".*\b(?:USC|CFR|U\.S\.C|C\.F\.R)|(?:During|Since|Until|Before|After|In|By|See|Section|Page|Volume|XXXX) |[0-9]{1,5} (?:U\.?S\.?C|C\.?F\.?R|Stat\b|F\.|Sec)|[0-9]{1,5}[a-z]? (?:Sec|SEC)|[^a-zß-ÿα-ώ]+\Z"
)
_MAX_PIECES = 8
#: What an address ends with whose first line has no number and street: a postcode of Britain, Ireland or India, or Hong Kong.
_ANCHOR = compile_late(
    r"[A-Z1-9](?<![A-Za-z0-9].)(?:(?<=[A-Z])(?:[A-Z]?[0-9][0-9A-Z]? [0-9][A-Z]{2}|[0-9][0-9W] [0-9A-Z]{4})"
    r"|(?<=[1-9])(?:(?<=[a-z] .)|(?<=[a-z] - .))[0-9]{2} ?[0-9]{3}"
    r"|(?<=, H)ong Kong|(?<=, K)owloon|(?<=, N)ew Territories)(?![A-Za-z0-9])"
)
_PIECE_WORD = rf"(?:{_WORD}|[A-Z]\.(?:[A-Z]\.?|[A-Z][a-z]+\.?)?|[A-Z]-?[0-9]{{1,4}}|{_ORDINAL}|[0-9]{{1,4}}[A-Za-z]?(?:[-/][0-9A-Za-z]{{1,4}}){{0,4}}|#[0-9A-Za-z-]{{1,9}})"
_PIECE = rf"{_PIECE_WORD}(?: (?:(?:of|the|and|on|upon) )?{_PIECE_WORD}){{0,6}}"
#: Pieces with commas between, as they stand before it.
_PIECES = compile_late(rf"(?<![{_LETTER}0-9.'&-]){_PIECE}(?:,\s{{1,3}}{_PIECE}){{1,7}}(?:,?\s{{1,3}}| - )\Z")
_FIRST_PIECE = compile_late(
    r"(?:(?:(?:Flat|Plot|Door|House|Shop|Office|Unit|Room|Rm|Apartment|Apt|Suite|Block|Blk|Level|Floor|Lot|H|D)\.? ?){1,2}(?:No\.? ?)?[A-Z]?#?-?[0-9]|No\.? [0-9]|[A-Z]-?[0-9]{1,4},)"
)
_HOUSE = compile_late(
    rf"\b(?:{_SUFFIX}|House|Cottages?|Farm|Farmhouse|Rectory|Vicarage|Lodge|Hall|Barn|Mill|Manor|Nagar|Colony|Apartments|Marg|Layout|Society|Enclave|Floor|Cross)(?=,| - |\n)|\bCo\. [A-Z]"
)
_TOWNS = ("Hong", "Kowloon", "New")
_BEFORE_ANCHOR = 160
#: A word for which the kernel leaves a text to the detectors.
_NAME_OF_PLACE = compile_late(r"(?:(?<=\s)|\A)[A-Z][a-z]{3,}(?![A-Za-z'-])")


def find(text: str) -> Iterator[Span]:
    """Addresses in folded text: every one but a street corner has a number."""
    taken = 0
    for digits in _DIGITS.finditer(text):
        if digits.start() < taken:
            continue
        found = _at(text, digits.start(), taken)
        if found:
            taken = found[1]
            yield Span(*found, "address", 0.86)
    yield from _without_street_number(text)
    if "corner of " in text:
        for match in _CORNER.finditer(text):
            yield Span(match.start(), _tail(text, match.end())[0], "address", 0.86)


def _without_street_number(text: str) -> Iterator[Span]:
    """Rows of a house, a street or an estate and a town before a postcode: The Old Rectory, Church Lane, Marlborough SN8 3JP.

    A word in it must be none of the ordinary ones, as the kernel asks too before it looks no further.
    """
    low = 0
    for anchor in _ANCHOR.finditer(text):
        row = _PIECES.search(text, max(low, anchor.start() - _BEFORE_ANCHOR), anchor.start())
        if row is None:
            continue
        first = _FIRST_PIECE.search(text, row.start(), anchor.start())
        start = first.start() if first else row.start()
        words = text[start : anchor.start()]
        if first is None and (person := _person_before(words)):
            start, words = start + person, words[person:]
        told = first is not None or (_HOUSE.search(words) is not None and not anchor[0].startswith(_TOWNS))
        if not told or not _names_a_place(words):
            continue
        end = low = anchor.end()
        behind = _PLACE.match(text, end + 2) if text.startswith(", ", end) else None
        if behind and _END.match(text, behind.end()) and _is_place(behind[0]):
            end = behind.end()
        yield Span(start, end, "address", 0.86)


def _person_before(words: str) -> int:
    """How long the first piece is, with its comma, when it is the name of who lives there."""
    piece, _, rest = words.partition(",")
    if _HOUSE.search(f"{piece},") or not any(span.end - span.start == len(piece) for span in find_names(piece)):
        return 0
    return len(words) - len(rest.lstrip())


def _names_a_place(words: str) -> bool:
    others = no_names()
    return any(word[0].lower() not in others for word in _NAME_OF_PLACE.finditer(words))


def _at(text: str, number: int, low: int) -> tuple[int, int] | None:
    """The address that begins with the number at `number`, or whose street line ends with it."""
    candidates = (
        (_FIRST.match(text, number), False),
        (_ADDRESS_CUE.search(text, max(0, number - 12), number) and _FIRST_SMALL.match(text, number), False),
        (_ending_with(_LAST, text, number, low), False),
        (_MAYBE_FIRST.match(text, number), True),
        (_ending_with(_MAYBE_LAST, text, number, low), True),
    )
    for match, needs_proof in candidates:
        if match is not None:
            end, sure = _tail(text, match.end())
            plausible = (sure and _is_place(match[0])) if needs_proof else (sure or not _YEAR.match(match[0]))
            if plausible and not _NO_STREET.match(match[0]):
                before = _UNIT_BEFORE.search(text, max(low, match.start() - _REACH), match.start())
                return before.start() if before else match.start(), end
    return None


def _ending_with(pattern: re.Pattern[str], text: str, number: int, low: int) -> re.Match[str] | None:
    if text[number - 1 : number] not in {" ", "#", "/", "°"}:
        return None
    for match in pattern.finditer(text, max(low, number - _REACH), number + 8):
        if match.start() < number < match.end() and _begins_word(text, match.start()):
            return match
    return None


def _begins_word(text: str, start: int) -> bool:
    return start == 0 or not (text[start - 1].isalnum() or text[start - 1] in "_-.")


def _tail(text: str, position: int) -> tuple[int, bool]:
    """Where the address ends, and whether a unit or a postcode proves that it is one."""
    end, sure, place = position, False, False
    for _ in range(_MAX_PIECES):
        gap = _SEPARATOR.match(text, position)
        if gap is None:
            break
        at = gap.end()
        if unit := _UNIT.match(text, at):
            end = position = unit.end()
            sure = True
        elif code := _POSTCODE.match(text, at):
            # Four digits may be a year; without a place before or behind them they prove nothing.
            after = (
                _PLACE.match(text, code.end() + 1) if not place and text[code.end() : code.end() + 1] == " " else None
            )
            if not place and after is None and not sure:
                break
            return (after.end() if after else code.end()), True
        elif state := _STATE.match(text, at):
            position, place = state.end(), True
        elif (found := _PLACE.match(text, at)) and _is_place(found[0]):
            position, place = found.end(), True
            if gap[0] != " " and _END.match(text, position):
                end = position
        else:
            break
    return end, sure


def _is_place(words: str) -> bool:
    first = plain(words.split(" ", 1)[0])
    return first not in LEADING and first not in ordinary_words()
