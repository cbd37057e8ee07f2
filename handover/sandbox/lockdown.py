"""Takes files, sockets and programs away from the current process, as far as the kernel and kept libraries can.

no_new_privs by prctl; Landlock (files: read only below Python, this package and the folders named; TCP: none) by its
three system calls, which glibc does not wrap; seccomp by libseccomp where that library is installed. Each step that
is not available is reported as absent; nothing here raises.
"""

import ctypes
import ctypes.util
import errno
import os
import sys
from pathlib import Path

from handover.sandbox.limits import Protections

_PR_SET_NO_NEW_PRIVS = 38
_LANDLOCK_CREATE_RULESET, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT_SELF = 444, 445, 446
_LANDLOCK_CREATE_RULESET_VERSION = 1
_LANDLOCK_RULE_PATH_BENEATH = 1
_READ = 0b1100  # READ_FILE | READ_DIR
_SYSTEM_FOLDERS = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/fonts", "/etc/localtime", "/dev/urandom")

#: Ways to the network, to other programs and to other processes, and io_uring, which would walk around the filter.
_REFUSED = (
    "socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "execve", "execveat", "ptrace",
    "process_vm_readv", "process_vm_writev", "kill", "pidfd_open", "pidfd_getfd", "io_uring_setup", "io_uring_enter",
    "bpf", "keyctl", "add_key", "request_key", "mount", "umount2", "unshare", "setns", "userfaultfd", "perf_event_open",
)  # fmt: skip


class _RulesetAttribute(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def apply(libc: ctypes.CDLL, readable: tuple[str, ...] = ()) -> Protections:
    """Locks the current process down and says what took effect."""
    no_new_privileges = libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    seccomp_ready = _load_seccomp()
    landlock = _restrict_files(libc, readable) if no_new_privileges else 0
    return Protections(
        no_new_privileges=no_new_privileges,
        landlock=landlock,
        seccomp=no_new_privileges and seccomp_ready and _filter_system_calls(),
    )


def _restrict_files(libc: ctypes.CDLL, readable: tuple[str, ...]) -> int:
    version = int(libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_CREATE_RULESET_VERSION))
    if version < 1:
        return 0
    rights = 13 + (version >= 2) + (version >= 3) + (version >= 5)
    attribute = _RulesetAttribute((1 << rights) - 1, 0b11 if version >= 4 else 0, 0b11 if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = libc.syscall(_LANDLOCK_CREATE_RULESET, ctypes.byref(attribute), size, 0)
    if ruleset < 0:
        return 0
    try:
        for folder in {sys.prefix, sys.base_prefix, *_SYSTEM_FOLDERS, str(Path(__file__).parents[1]), *readable}:
            _allow_reading(libc, ruleset, folder)
        return version if libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0 else 0
    finally:
        os.close(ruleset)


def _allow_reading(libc: ctypes.CDLL, ruleset: int, folder: str) -> None:
    try:
        parent = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no rule
    try:
        rights = _READ if Path(folder).is_dir() else _READ & 0b0100
        rule = _PathBeneath(rights, parent)
        libc.syscall(_LANDLOCK_ADD_RULE, ruleset, _LANDLOCK_RULE_PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(parent)


def _load_seccomp() -> bool:
    """Loads pyseccomp. Its look-up of the library would run ldconfig (50 ms); the name is fixed, so it is told."""
    look_up = ctypes.util.find_library
    ctypes.util.find_library = lambda name: {"seccomp": "libseccomp.so.2"}.get(name)
    try:
        import pyseccomp  # noqa: F401 - only a child that is about to lock itself down may pay for it
    except (ImportError, OSError, RuntimeError, AttributeError):
        return False
    finally:
        ctypes.util.find_library = look_up
    return True


def _filter_system_calls() -> bool:
    import pyseccomp

    try:
        rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
        for name in _REFUSED:
            if pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name) >= 0:
                rules.add_rule(pyseccomp.ERRNO(errno.EPERM), name)
        rules.load()
    except (OSError, ValueError, RuntimeError):
        return False
    return True
