"""Computes a gate: its conditions now, a digest of them for the log, and whether two persons overrode it."""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from handover.audit import GateRecord
from handover.context import Context
from handover.crypto import canonical
from handover.workflow.binding import Gate
from handover.workflow.results import GateResult


def compute(
    ctx: Context,
    row: Any,
    name: str,
    gate: Gate,
    overridden: Callable[[Context, Any, str], bool],
    *,
    preview: bool = False,
) -> GateResult:
    """A gate passes when no condition of it failed; conditions that are not computed do not count either way."""
    judge = gate.preview if preview and gate.preview is not None else gate.check
    conditions = list(judge(ctx, row))
    passed = all(condition.passed is not False for condition in conditions)
    inputs = [[c.name, {True: "passed", False: "failed", None: "not_checked"}[c.passed]] for c in conditions]
    return GateResult(
        code=gate.code,
        name=name,
        passed=passed,
        overridden=not passed and gate.overridable and overridden(ctx, row, name),
        conditions=conditions,
        computed_at=ctx.now(),
        inputs_sha256=hashlib.sha256(canonical.encode(inputs)).hexdigest(),
    )


def for_audit(gates: Iterable[GateResult]) -> list[GateRecord]:
    return [GateRecord(gate=f"{g.code} {g.name}", passed=g.passed, sha256=g.inputs_sha256) for g in gates]
