"""How much a child may use, and what is known about it afterwards."""

import msgspec

MIB = 1024 * 1024


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Ceilings for one child."""

    #: Private memory that it may write to, touched or not: reading a scanned page has 1.3 GiB of addresses and asks for half a GiB more at its
    #: peak, of which some 800 MiB are resident.
    memory_bytes: int = 2560 * MIB
    #: A tight loop ends here even if the wall clock is generous because a disk is slow.
    cpu_seconds: int = 1800
    wall_seconds: float = 3600.0
    output_bytes: int = 64 * 1024 * MIB
    #: Folders that the child may read besides Python's own and this package (fonts, templates).
    readable: tuple[str, ...] = ()


class Protections(msgspec.Struct, frozen=True, kw_only=True):
    """What the kernel granted to a child before it read its first byte of input."""

    no_new_privileges: bool = False
    seccomp: bool = False
    #: The version of Landlock in force; 0 is none, from 4 on it also refuses TCP.
    landlock: int = 0

    @property
    def no_network(self) -> bool:
        """True when sockets can't be made; Landlock alone refuses TCP but not UDP, so it does not count."""
        return self.seccomp


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A child that finished well."""

    #: Everything it wrote to stdout, when no `on_output` took it.
    output: bytes
    protections: Protections
    seconds: float
