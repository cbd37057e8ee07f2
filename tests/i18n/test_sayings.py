"""Errors speak Chinese: every message that a page can show has its translation, with the same values in it."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from handover.errors import ConflictError, InvalidInputError
from handover.i18n.catalogue import catalogue
from handover.rooms import ROOMS
from handover.web.html.sayings import said_in

PACKAGE = Path(__file__).resolve().parents[2] / "handover"
#: Read by operators at start or by programs, never by a person on a page.
_NOT_ON_PAGES = ("workflow/loader.py", "workflow/definition.py")


@cache
def messages() -> tuple[tuple[str, str], ...]:
    return tuple(_messages())


def _messages() -> Iterator[tuple[str, str]]:
    """Every literal message of an error in the rooms and the edge, `{0}` for its first value, with its place."""
    trees = {path: ast.parse(path.read_text()) for path in PACKAGE.rglob("*.py")}
    bases = {
        node.name: [base.id for base in node.bases if isinstance(base, ast.Name)]
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    for path, tree in trees.items():
        where = path.relative_to(PACKAGE).as_posix()
        if where.split("/")[0] not in {*ROOMS, "web", "workflow", "context.py", "jobs"} or where in _NOT_ON_PAGES:
            continue
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.args
                and _ours(node.func.id, bases)
            ):
                text = _literal(node.args[0])
                if text and re.sub(r"\{\d\}", "", text).strip():
                    yield text, where


def _ours(name: str, bases: dict[str, list[str]]) -> bool:
    return name == "HandoverError" or any(_ours(base, bases) for base in bases.get(name, []) if base != name)


def _literal(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if not isinstance(node, ast.JoinedStr):
        return None
    places = iter(range(10))
    return "".join(str(v.value) if isinstance(v, ast.Constant) else f"{{{next(places)}}}" for v in node.values)


def test_every_message_has_its_chinese() -> None:
    found = dict(messages())
    assert len(found) > 150
    missing = {text: where for text, where in found.items() if catalogue("zh").gettext(text) == text}
    assert missing == {}


def test_every_translation_keeps_its_values() -> None:
    for text, _ in messages():
        assert sorted(re.findall(r"\{\d\}", text)) == sorted(set(re.findall(r"\{\d\}", catalogue("zh").gettext(text))))


@pytest.mark.parametrize(
    ("message", "chinese"),
    [
        ("there is no such case", "没有此案件"),
        ("a password has 12 to 512 characters", "密码长度为 12 至 512 个字符"),
        ("field {1}: lowering a level needs a reason", "字段 {1}：降低级别须说明理由"),
    ],
)
def test_a_message_is_said_in_chinese_with_its_values(message: str, chinese: str) -> None:
    assert said_in(InvalidInputError(message), "zh") == chinese


def test_names_in_a_message_are_translated() -> None:
    said = said_in(ConflictError("one person cannot be both legal and consultant in a case"), "zh")
    assert "legal" not in said
    assert "法务" in said


def test_a_message_without_translation_is_shown_as_it_stands() -> None:
    assert (
        said_in(ConflictError("nothing like this is written anywhere"), "zh") == "nothing like this is written anywhere"
    )
