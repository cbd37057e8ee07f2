"""Loads every workflow file at start and binds each name in it, so that a typing mistake stops the start, not a case."""

from pathlib import Path

from handover.workflow.binding import Registry
from handover.workflow.definition import RESUME, Definition, Loaded, Transition, read
from handover.workflow.errors import WorkflowDefinitionError
from handover.workflow.machine import StateMachine


class Machines:
    """All versions of all machines."""

    def __init__(self, folder: Path, registry: Registry) -> None:
        self._loaded: dict[tuple[str, int], Loaded] = {}
        self._machines: dict[tuple[str, int], StateMachine] = {}
        for path in sorted(folder.glob("*.toml")):
            loaded = read(path)
            _bind(loaded, registry)
            key = (loaded.definition.name, loaded.definition.version)
            self._loaded[key] = loaded
            self._machines[key] = StateMachine(loaded.definition)
        missing = sorted(set(registry.machines) - {name for name, _ in self._loaded})
        if missing:
            raise WorkflowDefinitionError(f"no workflow file for: {', '.join(missing)}; looked in {folder}")

    def newest(self, machine: str) -> Loaded:
        return self._loaded[machine, max(version for name, version in self._loaded if name == machine)]

    def names(self) -> list[str]:
        return sorted({name for name, _ in self._loaded})

    def pinned(self, machine: str, version: int, sha256: str) -> StateMachine:
        """The machine of a pinned version, whose file must still be the same bytes.

        Raises:
            WorkflowDefinitionError: the file is gone or was edited after cases were opened under it.
        """
        loaded = self._loaded.get((machine, version))
        if loaded is None:
            raise WorkflowDefinitionError(f"workflow {machine} version {version} is missing, but a case runs under it")
        if loaded.sha256 != sha256:
            raise WorkflowDefinitionError(
                f"{loaded.file} was edited after cases were opened under it; restore it and make version {version + 1} instead"
            )
        return self._machines[machine, version]


def _bind(loaded: Loaded, registry: Registry) -> None:
    definition = loaded.definition
    if definition.name not in registry.machines:
        raise WorkflowDefinitionError(f"{loaded.file}: no room owns a machine named {definition.name!r}")
    for row in definition.transitions:
        for kind, names, known in (
            ("gate", row.gates, registry.gates),
            ("job", row.jobs, registry.jobs),
            ("document", row.documents, registry.documents),
        ):
            for name in names:
                if name not in known:
                    raise WorkflowDefinitionError(f"{loaded.file}: {row.trigger}: unknown {kind} {name!r}")
    triggers = {row.trigger for row in definition.transitions}
    for name in registry.machines[definition.name].effects:
        if name not in triggers:
            raise WorkflowDefinitionError(
                f"{loaded.file}: the room has an effect for {name!r}, which is no trigger here"
            )


def diagram(definition: Definition) -> str:
    """The machine as a Mermaid state diagram: what counsel reviews is drawn from what runs."""
    lines = ["stateDiagram-v2", f"    [*] --> {definition.initial}"]
    lines += [f"    {name} : {name} {state.label.zh}" for name, state in definition.states.items()]
    for row in definition.transitions:
        target = row.dest if row.dest != RESUME else "resume_to"
        lines += [f"    {source} --> {target} : {_arrow(row)}" for source in row.source]
    lines += [f"    {name} --> [*]" for name, state in definition.states.items() if state.terminal]
    return "\n".join(lines) + "\n"


def _arrow(row: Transition) -> str:
    gates = f" [{', '.join(row.gates)}]" if row.gates else ""
    return f"{row.trigger}{gates}"
