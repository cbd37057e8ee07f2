"""Finds the data folders (`workflows/`, `templates/`), in an installed wheel and in a source checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_folder(name: str) -> Path:
    """Folder `name` of the bundled data; a checkout wins over a stale installed copy.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    for candidate in (_PACKAGE.parent / name, _PACKAGE / "data" / name):
        if candidate.is_dir() and (
            (_PACKAGE.parent / "pyproject.toml").exists() or candidate.parent != _PACKAGE.parent
        ):
            return candidate
    raise FileNotFoundError(f"data folder {name!r} is missing from this installation; install handover again")
