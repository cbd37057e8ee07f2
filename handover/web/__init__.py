"""The HTTP edge: who asks, in which unit of work, and how answers and errors look. It holds no rule of the domain."""

from handover.web.edge import changing, creating, fresh, json_response, page_after, reading, writing
from handover.web.pagination import Page

__all__ = ["Page", "changing", "creating", "fresh", "json_response", "page_after", "reading", "writing"]
