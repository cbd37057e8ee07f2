"""A state machine as a picture: states as boxes in layers by their distance from the start, transitions as curves.

Transitions out of many states (pause, cancel, revoke …) would cover everything else; they are named below the box
that they lead to, and stand in the list beside the picture with all others.
"""

import msgspec

from handover.i18n import Language
from handover.workflow.definition import RESUME, Definition, Transition

#: Sizes in the picture's own units, which are pixels at full size.
_BOX, _HEIGHT, _GAP, _LAYER, _MARGIN = 168, 48, 36, 96, 24
#: Room at the sides in which curves of the way back run.
_SIDE = 72
#: A transition out of more states than this is named, not drawn.
_FEW = 3


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """One state; `rows` counts the rows of the case that are in it."""

    name: str
    label: str
    x: int
    y: int
    rows: int
    terminal: bool
    #: Numbers of transitions that lead here from many states.
    from_many: list[int]


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """One transition between two states: an SVG path, and where its number stands."""

    numbers: str
    path: str
    x: int
    y: int
    back: bool


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """The picture; transitions are numbered from 1 in the order of the file."""

    width: int
    height: int
    boxes: list[Box]
    edges: list[Edge]
    box_width: int = _BOX
    box_height: int = _HEIGHT


def draw(definition: Definition, counts: dict[str, int], language: Language) -> Drawing:
    """Lays a machine out."""
    layers = _layers(definition)
    width = max(len(layer) for layer in layers) * (_BOX + _GAP) - _GAP + 2 * (_MARGIN + _SIDE)
    at = {
        name: (_left(width, len(layer), position), _MARGIN + depth * _LAYER)
        for depth, layer in enumerate(layers)
        for position, name in enumerate(layer)
    }
    return Drawing(
        width=width,
        height=len(layers) * _LAYER + 2 * _MARGIN,
        boxes=[
            Box(
                name=name,
                label=state.label.in_language(language),
                x=at[name][0],
                y=at[name][1],
                rows=counts.get(name, 0),
                terminal=state.terminal,
                from_many=[n for n, t in enumerate(definition.transitions, 1) if t.dest == name and _named_only(t)],
            )
            for name, state in definition.states.items()
        ],
        edges=_edges(definition, at, width),
    )


def _layers(definition: Definition) -> list[list[str]]:
    """States by their shortest way from the start; what only many states lead to comes last."""
    depth = {definition.initial: 0}
    frontier = [definition.initial]
    while frontier:
        here = frontier.pop(0)
        for transition in definition.transitions:
            if here in transition.source and not _named_only(transition) and transition.dest not in depth:
                depth[transition.dest] = depth[here] + 1
                frontier.append(transition.dest)
    last = max(depth.values()) + 1
    layers: list[list[str]] = [[] for _ in range(last + 1)]
    for name in definition.states:
        layers[depth.get(name, last)].append(name)
    return [layer for layer in layers if layer]


def _named_only(transition: Transition) -> bool:
    return len(transition.source) > _FEW or transition.dest == RESUME


def _left(width: int, count: int, position: int) -> int:
    row = count * (_BOX + _GAP) - _GAP
    return (width - row) // 2 + position * (_BOX + _GAP)


def _edges(definition: Definition, at: dict[str, tuple[int, int]], width: int) -> list[Edge]:
    between: dict[tuple[str, str], list[int]] = {}
    for number, transition in enumerate(definition.transitions, 1):
        if not _named_only(transition):
            for source in transition.source:
                between.setdefault((source, transition.dest), []).append(number)
    return [
        _edge(at[source], at[dest], numbers, width, position)
        for position, ((source, dest), numbers) in enumerate(between.items())
    ]


def _edge(start: tuple[int, int], end: tuple[int, int], numbers: list[int], width: int, position: int) -> Edge:
    """Down: from the lower edge to the upper edge. Otherwise around the nearer side, each curve a little apart."""
    text = ", ".join(map(str, numbers))
    if end[1] > start[1]:
        x1, y1, x2, y2 = start[0] + _BOX // 2, start[1] + _HEIGHT, end[0] + _BOX // 2, end[1]
        bend = (y2 - y1) // 2
        path = f"M{x1} {y1} C{x1} {y1 + bend} {x2} {y2 - bend} {x2} {y2}"
        return Edge(numbers=text, path=path, x=(x1 + x2) // 2, y=(y1 + y2) // 2, back=False)
    left = start[0] + end[0] + _BOX < width
    x1, x2 = (start[0], end[0]) if left else (start[0] + _BOX, end[0] + _BOX)
    y1, y2 = start[1] + _HEIGHT // 2, end[1] + _HEIGHT // 2
    away = 28 + 10 * (position % 4)
    outer = min(x1, x2) - away if left else max(x1, x2) + away
    path = f"M{x1} {y1} C{outer} {y1} {outer} {y2} {x2} {y2}"
    return Edge(numbers=text, path=path, x=(x1 + x2 + 6 * outer) // 8, y=(y1 + y2) // 2, back=True)
