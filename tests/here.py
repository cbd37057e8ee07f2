"""A child's work in this process: the same frames in and out, without a child. For tests of what comes out of it.

That children are isolated, and that every format passes through them, is tried with real ones: tests/sandbox,
masking/test_every_format, masking/test_documents_outside.
"""

import contextlib
import importlib
import io
import sys
from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace
from unittest import mock

import msgspec

from handover.sandbox import Limits, Outcome
from handover.sandbox.limits import Protections
from handover.sandbox.run import Progress


def run_here(
    module: str,
    *,
    stdin: bytes | Iterable[bytes] = b"",
    descriptors: Sequence[int] = (),
    limits: Limits | None = None,
    on_output: Callable[[bytes], None] | None = None,
    on_progress: Progress | None = None,
) -> Outcome:
    """Stands in for `run_isolated`; what is raised is not turned into a crash."""
    given = io.BytesIO(stdin if isinstance(stdin, bytes) else b"".join(stdin))
    out, err = io.BytesIO(), io.BytesIO()
    with (
        mock.patch.object(sys, "stdin", SimpleNamespace(buffer=given)),
        contextlib.redirect_stdout(SimpleNamespace(buffer=out)),  # type: ignore[type-var]
        contextlib.redirect_stderr(SimpleNamespace(buffer=err)),  # type: ignore[type-var]
    ):
        importlib.import_module(module).main()
    for line in err.getvalue().splitlines() if on_progress else ():
        on_progress(msgspec.json.decode(line)["progress"])
    if on_output:
        on_output(out.getvalue())
    return Outcome(output=b"" if on_output else out.getvalue(), protections=Protections(), seconds=0.0)
