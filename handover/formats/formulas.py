"""Keeps spreadsheet programs from running a cell: a leading apostrophe before what would start a formula.

Covers = + - @, tab, CR, LF and the full-width forms that some input methods and programs fold to them. Plain numbers,
which may begin with a sign, stay numbers.
"""

import re
from collections.abc import Sequence

_STARTS = "=+-@\t\r\n＝＋－＠"
_NUMBER = re.compile(r"[-+]?[0-9][0-9,]*(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?%?\Z")


def neutralise(values: Sequence[str]) -> list[str]:
    """The same values, none of which a spreadsheet program would run."""
    return [f"'{value}" if value and value[0] in _STARTS and not _NUMBER.match(value) else value for value in values]
