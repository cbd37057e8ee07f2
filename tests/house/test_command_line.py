"""The command line is light, and its exit codes mean what the documents say."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "handover", *arguments],
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HANDOVER_DATA_DIR": str(cwd / "data")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv = ['handover', '--help']\n"
        "from handover.cli.main import handover\n"
        "handover.main(standalone_mode=False)\n"
        "heavy = {'litestar', 'sqlalchemy', 'weasyprint', 'pyhanko', 'uvicorn'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "demo" in done.stdout


@pytest.mark.parametrize("command", ["serve", "worker", "doctor"])
def test_commands_before_init_say_so_and_exit_10(command: str, tmp_path: Path) -> None:
    done = _run(command, cwd=tmp_path)
    assert done.returncode in {1, 10}
    assert "Traceback" not in done.stderr


def test_verify_tells_an_unknown_file_from_a_broken_one(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"nothing of ours")
    (tmp_path / "y.pdf").write_bytes(b"%PDF-1.7 nothing")
    assert _run("verify", "x.bin", cwd=tmp_path).returncode == 6
    done = _run("verify", "y.pdf", "--json", cwd=tmp_path)
    assert done.returncode == 6
    assert '"holds": false' in done.stdout


def test_unknown_settings_stop_the_start(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "handover", "serve"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HANDOVER_DATADIR": "x"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 10
    assert "HANDOVER_DATADIR" in done.stderr
