"""`python -m tests.cheaply` is `handover` with the cheapest password hashes, also in the servers that it starts.

For whatever is about something else: a dozen people who enrol and log in take several seconds of a core otherwise.
Full strength is tried in accounts/test_passwords and by the whole transfer of flow/test_transfer.
"""

import sys
from functools import partial

from argon2 import PasswordHasher

from handover.accounts import passwords
from handover.cli.main import main
from handover.demo import server

CHEAP = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}
COMMAND = (sys.executable, "-m", "tests.cheaply")

if __name__ == "__main__":
    passwords.PasswordHasher = partial(PasswordHasher, **CHEAP)  # type: ignore[misc,assignment]
    server._COMMAND = COMMAND
    main()
