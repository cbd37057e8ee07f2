"""The one list of rooms: their tables, machines, gates, jobs and routes. The doors and the migrations read it."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from handover.jobs import JobHandler
from handover.workflow import Gate, MachineBinding

#: In the order of the transfer; a room imports rooms before it, never after.
STAGES = (
    "cases",
    "agreements",
    "inventory",
    "redaction",
    "compliance",
    "recipients",
    "packages",
    "delivery",
    "destruction",
)
ROOMS = ("accounts", *STAGES, "attestations", "desk")
#: Services that keep tables of their own.
SERVICES = ("audit", "jobs", "workflow", "mail", "web")


def _gather(module: str, name: str, rooms: tuple[str, ...] = ROOMS) -> list[Any]:
    """The constant `name` of every room that has the file `module`."""
    found = []
    for room in rooms:
        try:
            loaded = import_module(f"handover.{room}.{module}")
        except ModuleNotFoundError as error:
            if error.name != f"handover.{room}.{module}":
                raise
            continue
        found.append(getattr(loaded, name))
    return found


def load_tables() -> None:
    """Imports every table, so that `Base.metadata` is complete."""
    for room in (*SERVICES, *ROOMS):
        if room != "desk":  # it reads everything and keeps nothing
            import_module(f"handover.{room}.models")


def machines() -> Mapping[str, MachineBinding]:
    return {binding.machine: binding for group in _gather("binding", "MACHINES") for binding in group}


def gates() -> Mapping[str, Gate]:
    return {name: gate for group in _gather("gates", "GATES") for name, gate in group.items()}


def jobs() -> Mapping[str, JobHandler]:
    return {kind: handler for group in _gather("jobs", "JOBS", (*SERVICES, *ROOMS)) for kind, handler in group.items()}


def documents() -> frozenset[str]:
    """The kinds of documents that can be issued."""
    from handover.attestations.kinds import KINDS

    return frozenset(KINDS)


def routes() -> list[Any]:
    """JSON routes and pages; imported only by the door that serves them."""
    return [route for module in ("api", "pages") for group in _gather(module, "ROUTES") for route in group]
