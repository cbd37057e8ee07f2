"""What of the model's answers is a name: titles are taken off, places and institutions left out, and words that are mostly none."""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from handover.detection.addresses.regions import gazetteer
from handover.detection.detectors.person_name import is_chinese_name
from handover.detection.known import beginnings
from handover.detection.names import chinese
from handover.detection.names.surnames import COMPOUND_SURNAMES
from handover.detection.patterns import compile_late

#: Two or more characters; transcribed names have dots. What the model calls a person beside these is a tab or a space.
_NAME = compile_late(r"(?:[一-鿿㐀-䶿]{2,8}|[一-鿿](?=[·•・]))(?:[·•・][一-鿿]{1,8}){0,4}\Z")
#: What stands behind a name and is taken for a part of it.
_BEHIND = compile_late(rf"(?:{chinese.TITLE}|大师|夫妇|夫妻|两人|等人|一家|政府|内阁|理论|村民|驸马)\Z")
_PLACE_END = compile_late("[省市区县镇乡]\\Z")
#: What a place, a team or an institution ends with, and no transcribed name.
_NO_PERSON_END = compile_late(
    "(?:[州峰湖港院校局队杯族党社报路街馆庙村屯寨所军国]|两国|冲突|会议|主义|公司|大学|半岛)\\Z"
)
#: So may a Chinese name.
_LANDSCAPE_END = compile_late("[山河江海岛城湾]\\Z")
#: A side, an army, a people: 葡方, 墨军; but 小军.
_GROUP = compile_late("[^小老阿大][方军国族队人派党语]\\Z")
#: What the model takes for a person in résumés and news: the secretary of a board, days of the week.
_NEVER = frozenset(("董秘", *(f"周{day}" for day in "一二三四五六日")))
_SHORT = 3
#: Who held an office at a firm: 任欣旺达(经理). A name of four characters does not begin with this surname.
_HOLDS = "任"
#: The share of its places above which characters are a name rather than a word.
_MOSTLY = 0.5


@cache
def _places() -> frozenset[str]:
    """Countries, cities and what else abroad is transcribed as names are."""
    return frozenset((files("handover.detection.names") / "foreign_places.txt").read_text("utf-8").splitlines())


def cleaned(name: str) -> str:
    """The name without what stands behind it; empty when it is none."""
    bare = name.strip()
    while bare != (shorter := _BEHIND.sub("", bare)):
        bare = shorter
    if not _NAME.match(bare) or _PLACE_END.search(bare) or bare in _NEVER or _begins_with_place(bare):
        return ""
    known = gazetteer()
    if bare in known.names or (bare in known.short_districts and not is_chinese_name(bare)):
        return ""
    if _GROUP.match(bare) and not is_chinese_name(bare):
        return ""
    if len(bare) > _SHORT and (
        bare[0] == _HOLDS
        or _NO_PERSON_END.search(bare)
        or (bare[:2] not in COMPOUND_SURNAMES and _LANDSCAPE_END.search(bare))
    ):
        return ""
    return bare


def _begins_with_place(name: str) -> bool:
    """A place, or one of three characters and more with what stands behind it: 卡拉奇晴."""
    return name in _places() or any(name[:length] in _places() for length in range(_SHORT, len(name)))


def are_names(found: Counter[str], text: str) -> Iterable[str]:
    """Those that are a name in most of the places where they stand.

    Three characters that begin with a surname are hardly ever a word.
    """
    doubtful = {name for name in found if len(name) < _SHORT or not is_chinese_name(name)}
    everywhere = _occurrences(doubtful, found, text)
    return [name for name, count in found.items() if name not in doubtful or count >= _MOSTLY * everywhere[name]]


def _occurrences(names: Iterable[str], longer: Iterable[str], text: str) -> Counter[str]:
    """How often each stands in the text, in one pass; not where it is a part of a longer one: 小平 in 周小平."""
    by_head: dict[str, list[str]] = {}
    wanted = frozenset(names)
    if not wanted:
        return Counter()
    for name in sorted(longer, key=len, reverse=True):
        by_head.setdefault(name[:2], []).append(name)
    counted: Counter[str] = Counter()
    reached = 0
    for match in beginnings(by_head).finditer(text):
        start = match.start()
        longest = 0
        for name in by_head.get(text[start : start + 2], ()):
            if text.startswith(name, start):
                longest = longest or start + len(name)
                if name in wanted and start + len(name) > reached:
                    counted[name] += 1
        reached = max(reached, longest)
    return counted
