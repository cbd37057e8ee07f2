"""People who put markup, template code, direction marks and endless names into every text they are asked for."""

import json
from html.parser import HTMLParser
from typing import Any

#: 7654321 × 3 is 22962963, which no page says by chance. No person's name is in it: an excerpt replaces those.
HOSTILE = "<script>alert(1)</script>{{7*7}}{{7654321*3}}<img src=x onerror=alert(1) hx-get=/x>\u202e生僻字䶮"
CALCULATED = "22962963"
#: A slash cannot be in a file's name.
FILE_NAME = "<img src=x onerror=alert(1) hx-get=x>{{7*7}}{{7654321*3}}生僻字䶮"
NAME_MAX = 300
_NAMES = {"name", "typed_name", "title"}
_TEXTS = {
    *("contact", "note", "reason", "purpose", "duration", "manner", "categories", "measures", "agreement"),
    *("source_statement", "period", "system", "document", "employer", "checked_against", "details", "zh", "en"),
}
#: Where a word of these names is no text but a choice.
_CHOICES = ("/packages", "/plan", "/legal-holds/")


def marker(key: str) -> str:
    """By which a field's text is found again on pages."""
    return f"⟦{'name' if key == 'typed_name' else key}⟧"


def spoiled(path: str, body: Any) -> Any:
    """A request's body with hostile text at the end of every text in it."""
    if path.endswith(_CHOICES) or not isinstance(body, dict):
        return body
    return {key: _spoil(path, key, value) for key, value in body.items()}


def _spoil(path: str, key: str, value: Any) -> Any:
    if isinstance(value, list):
        return [spoiled(path, item) for item in value]
    if isinstance(value, dict):
        return spoiled(path, value)
    if not isinstance(value, str) or key not in _TEXTS | _NAMES:
        return value
    text = f"{value}{marker(key)}{HOSTILE}"
    return text.ljust(NAME_MAX, "名") if key in _NAMES else text


class Reader(HTMLParser):
    """Reads a page as a browser does; `wrongs` is what texts made of it, `said` all its texts and values."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.wrongs: list[str] = []
        self.said: list[str] = []
        self.links: list[str] = []
        self.feed(page)
        self.close()
        if CALCULATED in page:
            self.wrongs.append("a template was evaluated")
        self.wrongs += [
            f"cut or changed: {text[:200]}" for text in self.said if "alert(1)" in text and not _whole(text)
        ]

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "script" and not (given.get("src") or "").startswith("/static/"):
            self.wrongs.append(f"a script: {given}")
        if tag in {"img", "iframe", "object"} and not (given.get("src") or "/").startswith("/"):
            self.wrongs.append(f"<{tag}> {given}")
        self.wrongs += [f"<{tag} {name}>" for name in given if name.startswith(("on", "hx-"))]
        self.said += [_read(value) for name, value in attributes if value and name not in {"src", "href", "action"}]
        if tag == "a" and (given.get("href") or "").startswith("/") and "download" not in given:
            self.links.append(str(given["href"]))

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def _read(value: str) -> str:
    """An attribute's value; where that is JSON for a script, its characters as they are."""
    return json.dumps(json.loads(value), ensure_ascii=False) if value.startswith('{"') else value


def _whole(text: str) -> bool:
    """All of it, or its beginning where a watermark says with … that it was cut."""
    begun = text[text.index("<script>") if "<script>" in text else 0 :].partition("…")
    return HOSTILE in text or FILE_NAME in text or (bool(begun[1]) and HOSTILE.startswith(begun[0]))
