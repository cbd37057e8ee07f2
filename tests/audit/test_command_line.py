"""`handover audit verify` offline: what it answers, and that it needs neither database nor service."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from handover.audit import AuditVerificationError
from handover.cli.audit import audit
from handover.crypto.errors import KeyFormatError

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs/audit-log"
EXPORT, CHECKPOINT, KEY = (str(EXAMPLE / name) for name in ("example.jsonl", "example-checkpoint.txt", "log.vkey"))


def test_an_export_that_holds_under_pinned_keys_exits_0_and_says_what_is_witnessed():
    result = CliRunner().invoke(audit, ["verify", EXPORT, "--checkpoint", CHECKPOINT, "--key", KEY])
    assert result.exit_code == 0, result.output
    assert "the first 2 entries" in result.output
    assert "1 of 3 entries rest on the log's own signature alone" in result.output


def test_without_a_pinned_key_it_exits_3():
    result = CliRunner().invoke(audit, ["verify", EXPORT, "--json"])
    assert result.exit_code == 3
    answer = json.loads(result.stdout)
    assert (answer["size"], answer["pinned"], answer["checkpoints"]) == (3, False, [2, 3])


def test_a_changed_export_is_refused_with_the_entry_named(tmp_path: Path):
    changed = tmp_path / "changed.jsonl"
    changed.write_bytes(Path(EXPORT).read_bytes().replace(b'"failures":3', b'"failures":4'))
    result = CliRunner().invoke(audit, ["verify", str(changed), "--key", KEY])
    assert isinstance(result.exception, AuditVerificationError)
    assert (result.exception.first, result.exception.last) == (1, 1)


def test_a_file_without_keys_is_refused(tmp_path: Path):
    empty = tmp_path / "empty.vkey"
    empty.write_text("# nothing\n")
    result = CliRunner().invoke(audit, ["verify", EXPORT, "--key", str(empty)])
    assert isinstance(result.exception, KeyFormatError)


@pytest.mark.parametrize("content", [b"", b"\n", b"PK\x03\x04", b"x" * (1 << 19)])
def test_another_file_is_refused(tmp_path: Path, content: bytes):
    other = tmp_path / "other"
    other.write_bytes(content)
    result = CliRunner().invoke(audit, ["verify", str(other), "--key", KEY])
    assert isinstance(result.exception, AuditVerificationError)


def test_verifying_loads_nothing_of_the_service():
    program = (
        "import sys; from handover.cli.audit import audit; "
        f"audit(['verify', {EXPORT!r}, '--key', {KEY!r}], standalone_mode=False); "
        "sys.exit(sorted({'sqlalchemy', 'litestar', 'dramatiq', 'handover.db'} & set(sys.modules)) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
