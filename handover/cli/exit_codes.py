"""One table from kinds of errors to exit codes."""

from handover.errors import Kind

OK, FAILURE, USAGE, PARTIAL, NOT_FOUND, BLOCKED, VERIFICATION, NOT_INITIALISED, INTERRUPTED = (
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    10,
    130,
)

EXIT_CODES: dict[Kind, int] = {
    Kind.INVALID: USAGE,
    Kind.NOT_FOUND: NOT_FOUND,
    Kind.BLOCKED: BLOCKED,
    Kind.VERIFICATION: VERIFICATION,
    Kind.NOT_INITIALISED: NOT_INITIALISED,
}


def exit_code(kind: Kind) -> int:
    """The exit code of an error; 1 where the table has no better one."""
    return EXIT_CODES.get(kind, FAILURE)
