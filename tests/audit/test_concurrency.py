"""Many appenders at once, in threads and in processes: one tree, contiguous indexes, consistent checkpoints."""

import itertools
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from handover.audit import AuditLog
from handover.audit.models import AuditCheckpoint, AuditEntry
from handover.audit.proofs import encode_proof, verify_consistency
from handover.audit.verify import verify_export
from handover.context import SYSTEM, Installation
from tests.audit.appender import append_in_threads
from tests.audit.logs import HONEST

ROOT = Path(__file__).resolve().parents[2]
EACH = 20


def test_eight_threads_and_two_processes_append_to_one_tree(installation: Installation, database_url: str):
    children = [_child(database_url) for _ in range(2)]
    append_in_threads(installation, 8, EACH)
    for child in children:
        _, errors = child.communicate(timeout=60)
        assert child.returncode == 0, errors

    expected = (8 + 2 * 4) * EACH
    log = installation.get(AuditLog)
    with installation.unit_of_work(SYSTEM) as ctx:
        newest = log.checkpoint(ctx)
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        indexes = list(ctx.session.scalars(sa.select(AuditEntry.index).order_by(AuditEntry.index)))
        assert indexes == list(range(expected))
        assert log.verify_database(ctx).size == expected
        assert verify_export(log.export(ctx), checkpoints=[newest], keys=HONEST.public).size == expected
        kept = ctx.session.execute(sa.select(AuditCheckpoint.size, AuditCheckpoint.note).order_by(AuditCheckpoint.size))
        for (old_size, old), (new_size, new) in itertools.pairwise(kept.all()):
            proof = log.prove_consistency(ctx, old_size, new_size)
            verify_consistency(encode_proof(proof), old, new, HONEST.public)


def _child(database_url: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-m", "tests.audit.appender", database_url, str(EACH)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
