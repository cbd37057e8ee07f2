"""The desk has a word for every name that code and workflow files write into the log."""

import ast
import functools
import re
from pathlib import Path

from handover.app import _workflow
from handover.desk.words import event_label, table
from handover.desk.work import ONWARD
from handover.i18n import Text
from handover.resources import data_folder
from handover.workflow.definition import read

ROOT = Path(__file__).resolve().parents[2] / "handover"
_EVENT = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
#: Where code makes the name from a state, and the states that there are.
_MADE = {"job.": ("job.dead", "job.cancelled")}


@functools.cache
def _trees() -> tuple[ast.Module, ...]:
    return tuple(ast.parse(path.read_text()) for path in ROOT.rglob("*.py"))


def _calls() -> list[ast.Call]:
    """Every call of the log, or of a function that passes an event on to it."""
    trees = _trees()
    passing_on = {
        node.name
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and any(a.arg == "event" for a in (*node.args.args, *node.args.kwonlyargs))
    } | {"append"}
    return [
        node
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")) in passing_on
    ]


@functools.cache
def _written() -> frozenset[str]:
    found: set[str] = set()
    for tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == "event" for t in node.targets):
                found |= _names(node.value)
    for call in _calls():
        for argument in (*call.args[:3], *(k.value for k in call.keywords if k.arg == "event")):
            found |= _names(argument)
            for made in (n for n in ast.walk(argument) if isinstance(n, ast.JoinedStr)):
                first = made.values[0]
                found |= set(_MADE.get(str(first.value), ())) if isinstance(first, ast.Constant) else set()
    return frozenset(found)


def _names(node: ast.AST) -> set[str]:
    return {
        n.value
        for n in ast.walk(node)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and _EVENT.fullmatch(n.value)
    }


def _of_workflows() -> set[str]:
    found = set()
    for path in data_folder("workflows").glob("*.toml"):
        for transition in read(path).definition.transitions:
            found.add(transition.audit)
            if transition.approvals:
                found.add(f"{transition.audit}.approved")
    return found


def test_every_event_that_code_or_workflows_write_has_words_in_both_languages() -> None:
    written, in_files = _written(), _of_workflows()
    assert {
        "case.created",
        "account.logged_in",
        "copy.destroyed",
        "job.dead",
        "account.second_factor_proven",
    } <= written
    assert "case.inventory_frozen.approved" in in_files
    assert sorted(e for e in written | in_files if event_label(e) == Text(e, e)) == []


def test_no_event_of_the_table_is_left_over() -> None:
    assert sorted(set(table().events) - _written() - _of_workflows()) == []


def test_every_event_belongs_to_a_group_that_the_filter_offers() -> None:
    assert {event.partition(".")[0] for event in table().events} == set(table().groups)


def test_every_fulfilled_condition_of_a_gate_has_words() -> None:
    names = set()
    for path in ROOT.rglob("gates.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "passed":
                first = node.args[0].values[0] if isinstance(node.args[0], ast.JoinedStr) else node.args[0]
                if isinstance(first, ast.Constant):
                    names.add(str(first.value).partition(":")[0])
    assert len(names) > 40
    assert sorted(names - set(table().conditions)) == []


def test_every_machine_and_every_transition_that_leads_on_is_one_of_the_workflow_files() -> None:
    workflow = _workflow()
    assert set(workflow.machines()) <= set(table().entities)
    for model, triggers in ONWARD.items():
        assert set(triggers) <= {t.trigger for t in workflow.newest(model.MACHINE).transitions}, model
