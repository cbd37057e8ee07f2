"""The texts that go with every package, in Chinese and English: README.txt inside, HOW-TO-OPEN.html beside it."""

from handover.resources import data_folder

_FOLDER = "package"


def readme() -> bytes:
    """README.txt: how to check what was opened."""
    return (data_folder("templates") / _FOLDER / "README.txt").read_bytes()


def how_to_open() -> bytes:
    """HOW-TO-OPEN.html: how to open a package with the age tool or with ours."""
    return (data_folder("templates") / _FOLDER / "HOW-TO-OPEN.html").read_bytes()
