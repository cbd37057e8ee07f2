"""Pages of lists: a cursor is the id after which the next page begins (UUIDv7 ids sort by time)."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from litestar.params import Parameter

T = TypeVar("T")
R = TypeVar("R")

#: What a page holds at most.
MAX_PAGE = 200
Limit = Annotated[int, Parameter(ge=1, le=MAX_PAGE, description="Items per page")]
Cursor = Annotated[str | None, Parameter(max_length=64, description="`next` of the page before")]


class Page(msgspec.Struct, Generic[T], kw_only=True):
    """Some items, and the cursor of the next page (null on the last)."""

    items: list[T]
    next: str | None = None


def page(rows: Sequence[R], limit: int, view: Callable[[R], T], key: Callable[[R], Any] = lambda r: r.id) -> Page[T]:  # type: ignore[attr-defined]
    """A page of rows that were read with `limit + 1`."""
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(items=[view(row) for row in shown], next=str(key(shown[-1])) if more and shown else None)
