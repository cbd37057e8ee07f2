"""The base installation on the newer Pythons that it promises: the published vectors and the round trips pass there too.

`make test` runs the same on the Python that it has; this, with an installation for each, is `make test-thorough`.
"""

import os
import shutil
import subprocess
import tomllib
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "handover-tests"
_TESTS = ("test_age_vectors.py", "test_age_files.py")


@pytest.mark.thorough
@pytest.mark.timeout(600)
@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_vectors_and_round_trips_pass_on(version: str) -> None:
    python = _base_installation(version)
    files = [str(ROOT / "tests" / "crypto" / name) for name in _TESTS]
    command = [python, "-m", "pytest", "-q", "-c", os.devnull, "--noconftest", "-p", "no:cacheprovider", *files]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


def _base_installation(version: str) -> Path:
    """A virtual environment with what the base installation needs, made once; skips where that is impossible."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"] + ["pytest", "hypothesis"]
    folder = _CACHE / f"python-{version}-{sha256(repr(wanted).encode()).hexdigest()[:8]}"
    python = folder / "bin" / "python"
    if not (folder / "whole").exists():
        found = _interpreter(version)
        if found is None:
            pytest.skip(f"Python {version} is not installed")
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([found, "-m", "venv", folder], check=True, capture_output=True)
        install = [python, "-m", "pip", "install", "--quiet", "--only-binary", ":all:", *wanted]
        if subprocess.run(install, check=False, capture_output=True).returncode:
            pytest.skip(f"no registry to install the base installation for Python {version} from")
        (folder / "whole").touch()
    return python


def _interpreter(version: str) -> str | None:
    pyenv = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    for found in (shutil.which(f"python{version}"), *map(str, pyenv)):
        if found and subprocess.run([found, "-c", ""], check=False, capture_output=True).returncode == 0:
            return found
    return None
