"""Reading packages needs nothing that only Unix or only Linux has."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: What Windows lacks; each is taken away before anything of the product is imported.
_WITHOUT = """
import sys
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
import os
for name in ("O_DIRECTORY", "O_NOFOLLOW", "O_CLOEXEC", "preadv", "pwrite", "pwritev", "pread", "readv", "register_at_fork",
             "sched_getaffinity", "geteuid", "getuid", "fork", "posix_fallocate", "sendfile", "link"):
    if hasattr(os, name):
        delattr(os, name)
"""
_SCRIPT = """
from pathlib import Path
from handover.archive.open import inspect, open_package, verify_package
from handover.archive.receipt import make_receipt
from handover.archive.standalone import seal_paths
from handover.cli import key, package, verify
from handover.crypto.age import decrypt_file, encrypt_file, generate_identity, recipient_of
folder, identity = Path(sys.argv[1]), generate_identity()
(folder / "in").mkdir()
(folder / "in" / "a.csv").write_bytes(b"1,2\\r\\n" * 300_000)
(folder / "in" / "b.txt").write_bytes(b"x")
seal_paths([folder / "in"], [recipient_of(identity)], folder / "p.age")
assert len(inspect(folder / "p.age", [identity]).files) == 2
assert verify_package(folder / "p.age", [identity]).verified == 2
open_package(folder / "p.age", [identity], folder / "out")
assert (folder / "out" / "files" / "in" / "a.csv").read_bytes() == b"1,2\\r\\n" * 300_000
assert make_receipt(folder / "p.age", [identity])
encrypt_file(folder / "in" / "a.csv", folder / "c", [recipient_of(identity)])
decrypt_file(folder / "c", folder / "back", [identity])
assert (folder / "back").read_bytes() == b"1,2\\r\\n" * 300_000
print("done")
"""


def test_packages_are_read_and_made_without_what_windows_lacks(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT + _SCRIPT, str(tmp_path)], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.stdout == "done\n", done.stderr[-3000:]
