"""A hit: where, what, how sure. Positions are code points in the value; a span holds no text."""

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from operator import attrgetter
from typing import Literal, NamedTuple

Level = Literal["L1", "L2", "L3", "L4"]


class Span(NamedTuple):
    """One hit in one text."""

    start: int
    end: int
    kind: str
    confidence: float


_KIND = attrgetter("kind")


def count_kinds(found: Iterable[Iterable[Span]]) -> Counter[str]:
    """How many hits of each kind there are in some values."""
    return Counter(map(_KIND, chain.from_iterable(found)))


def resolve(spans: Iterable[Span]) -> list[Span]:
    """Hits without overlaps, in order of position: the surer one stays, then the longer, then the earlier."""
    ordered = sorted(spans)
    if len(ordered) < 2:
        return ordered
    kept: list[Span] = []
    cluster = [ordered[0]]
    reach = ordered[0].end
    for span in ordered[1:]:
        if span.start >= reach:
            kept.extend(_settle(cluster))
            cluster = []
        cluster.append(span)
        reach = max(reach, span.end)
    kept.extend(_settle(cluster))
    return kept


def _settle(cluster: list[Span]) -> list[Span]:
    if len(cluster) == 1:
        return cluster
    ranked = sorted(cluster, key=lambda s: (-s.confidence, s.start - s.end, s.start, s.kind))
    if all(ranked[0].start <= span.start and span.end <= ranked[0].end for span in cluster):
        return ranked[:1]
    chosen: list[Span] = []
    for span in ranked:
        if all(span.end <= other.start or span.start >= other.end for other in chosen):
            chosen.append(span)
    return sorted(chosen)
