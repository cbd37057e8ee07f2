"""Learns names from running text on the first pass, so that the second finds them wherever they stand.

The model reads sentences up to a budget, for it manages about 0.1 MB a second. Of those that were met already but for numbers, Latin
words, and names that are found anyway, it reads the clauses that differ, with what stands beside them. Without it the rules read
them. What of its answers counts is said in `judging`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Literal

from handover.detection.folding import fold
from handover.detection.known import KnownValues
from handover.detection.names import chinese, western
from handover.detection.names.judging import are_names, cleaned
from handover.detection.names.model import NameModel, is_installed, prepare
from handover.detection.spans import resolve
from handover.i18n import Text

#: Some 250 s of one processor; a file with more running text that differs is searched by rules and by the names learnt so far.
MAX_CHARACTERS = 10_000_000
#: How much is looked through for sentences of another form, some 30 s. Records of a table repeat themselves long before.
MAX_EXAMINED = 30_000_000
#: No further either where of so many characters hardly any stood in a sentence of a form of its own.
_STRETCH, _NEW = 150_000, 1_500
#: How much text in Latin script is looked through for persons with their whole name, a second or two; no further where none was
#: met for this long.
_LATIN_READ, _LATIN_DULL = 4_000_000, 200_000
_SENTENCE = re.compile(r"[^\n\0。！？!?；;]+[。！？!?；;]?")
#: A longer one is cut: the model's memory grows with the longest of a batch.
_LONGEST = 600
_SHORTEST = 3
_HAN = re.compile("[一-鿿]")
_DIGITS = re.compile("[0-9]+")
_WORDS = re.compile("[0-9A-Za-z@._/-]+")
#: Numbers, codes and words in Latin letters: the model finds no names in them.
_LATIN = re.compile("[!-~]+")
#: No name holds one, and nothing that is left out of a form does.
_COMMA = "，"
_BATCH = 512
#: Clauses whose form is remembered.
_REMEMBERED = 200_000
Method = Literal["model", "partly", "rules"]


class NameLearner:
    """Takes the values of columns of running text; `finish` hands what was learnt to the known values."""

    def __init__(self, known: KnownValues) -> None:
        self._known = known
        self._model: NameModel | None = None
        #: Hashes of sentences without their numbers and words of ASCII, and of clauses without names too.
        self._plain: set[int] = set()
        self._forms: set[int] = set()
        #: The hash of a clause as it is → that of its form.
        self._keys: dict[int, int] = {}
        self._read_so_far: list[str] = []
        self._waiting: list[str] = []
        self._found: Counter[str] = Counter()
        self._examined = 0
        #: Both counts where the stretch begins.
        self._stretch = (0, 0)
        #: Whether it stopped because hardly any sentence was new.
        self._repeats = False
        self._latin_left, self._dull = _LATIN_READ, 0
        self.characters = 0
        self.is_full = False

    def read(self, values: Iterable[str]) -> None:
        """Reads values until the budget is used up."""
        for value in values:
            if self.is_full:
                return
            if _HAN.search(value):
                self._read(fold(value))
            elif self._latin_left > 0 and self._is_new(_DIGITS.sub("0", value)):
                self._read_latin(value)

    def _is_new(self, plain: str) -> bool:
        # Whoever hands over large tables passes over texts that are equal but for this already (kernel/known.c): that must change nothing.
        key = hash(plain)
        if key in self._plain:
            return False
        self._plain.add(key)
        return True

    def _read_latin(self, value: str) -> None:
        self._latin_left -= len(value)
        self._dull += len(value)
        for surname in western.surnames(value):
            self._known.add_surname(surname)
            self._dull = 0
        if self._dull > _LATIN_DULL:
            self._latin_left = 0

    def _read(self, value: str) -> None:
        for match in _SENTENCE.finditer(value):
            sentence = match[0].strip()
            plain = _WORDS.sub("0", sentence)
            if len(plain) < _SHORTEST or not _HAN.search(plain) or not self._is_new(plain):
                continue
            self._examined += len(plain)
            self._repeats = self._is_stale()
            if self._examined >= MAX_EXAMINED or self._repeats:
                self.is_full = True
                return
            for piece in self._unread(sentence, plain):
                self._take(piece)
            if self.characters >= MAX_CHARACTERS:
                self.is_full = True
                return

    def _unread(self, sentence: str, plain: str) -> Iterator[str]:
        """Clauses of forms that were not met, each with its neighbours: records repeat most of a sentence word by word."""
        clauses = sentence.split(_COMMA)
        keys = list(map(self._key, clauses, plain.split(_COMMA)))
        new = [key not in self._forms for key in keys]
        self._forms.update(keys)
        start = 0
        for wanted, run in groupby(any(new[max(0, at - 1) : at + 2]) for at in range(len(new))):
            end = start + len(list(run))
            if wanted:
                yield _COMMA.join(clauses[start:end])
            start = end

    def _key(self, clause: str, plain: str) -> int:
        """Of its form; most clauses were met word by word."""
        met = hash(plain)
        key = self._keys.get(met)
        if key is None:
            if len(self._keys) >= _REMEMBERED:
                self._keys.clear()
            key = self._keys[met] = hash(self._form(clause))
        return key

    def _take(self, piece: str) -> None:
        if not self.characters and is_installed():
            prepare()
        self._read_so_far.append(piece)
        self.characters += len(piece)
        self._waiting += [piece[at : at + _LONGEST] for at in range(0, len(piece), _LONGEST)]
        if len(self._waiting) >= _BATCH:
            self._search()

    def _is_stale(self) -> bool:
        examined, new = self._stretch
        if self._examined - examined < _STRETCH:
            return False
        self._stretch = self._examined, self.characters
        return self.characters - new < _NEW

    def _form(self, clause: str) -> str:
        """The clause without what makes records of one kind differ: numbers, Latin words, and the names that are found anyway."""
        spans = resolve([*self._known.find(clause, numbers=False), *chinese.find(clause)])
        for span in reversed(spans):
            clause = f"{clause[: span.start]}\0{clause[span.end :]}"
        return _LATIN.sub("0", clause)

    def finish(self) -> None:
        """Adds the names to the known values and forgets the text."""
        self._search()
        text = "\n".join(self._read_so_far)
        for name in are_names(self._found, text):
            self._known.add_found(name)
        self._read_so_far.clear()
        self._plain.clear()
        self._forms.clear()
        self._keys.clear()

    def _search(self) -> None:
        names = self._by_model() if is_installed() else self._by_rules()
        self._found.update(filter(None, map(cleaned, names)))
        self._waiting.clear()

    def _by_model(self) -> Iterator[str]:
        if self._waiting and self._model is None:
            self._model = NameModel()
        return self._model.names_in(self._waiting) if self._model else iter(())

    def _by_rules(self) -> Iterator[str]:
        for sentence in self._waiting:
            for span in chinese.find(sentence):
                yield sentence[span.start : span.end]

    @property
    def method(self) -> Method | None:
        """How names were looked for in running Chinese text; None when there is none."""
        if not self.characters:
            return None
        return ("partly" if self.is_full else "model") if is_installed() else "rules"

    def limits(self) -> list[Text]:
        """What a reader of the report should know."""
        if self.method == "rules":
            return [
                Text(
                    zh="正文中的中文姓名只按上下文（称谓、“联系人”等）和已知姓名识别。安装 handover[names] 后可识别其余姓名。",
                    en="Chinese names in running text are found only by cue or when known from a column; install handover[names] to find the others.",
                )
            ]
        if self.method == "partly" and self._repeats:
            return [
                Text(
                    zh=f"中文正文的句式大量重复：姓名识别模型读完了前 {self._examined:,} 个字里各不相同的句子；其余部分按规则和已知姓名识别。",
                    en=f"Sentences in the Chinese text repeat themselves: the name model read those that differ among its first {self._examined:,} characters; the rest was searched by rules and for known names.",
                )
            ]
        if self.method == "partly":
            return [
                Text(
                    zh=f"中文正文较长：姓名识别模型读了其中 {self.characters:,} 个字；其余部分按规则和已知姓名识别。请拆分文件，或人工抽查。",
                    en=f"There is much Chinese text: the name model read {self.characters:,} characters of it; the rest was searched by rules and for known names. Split the file, or review a sample.",
                )
            ]
        return []
