"""The machine `package`, tied to its table."""

from handover.context import Context
from handover.packages import service
from handover.packages.models import Package
from handover.packages.queries import visible_package
from handover.workflow import MachineBinding


def _manifest(_ctx: Context, row: Package) -> str:
    """Two persons approve this very manifest; another build is another subject."""
    return row.manifest_sha256 or ""


MACHINES = (
    MachineBinding(
        machine=Package.MACHINE,
        model=Package,
        collection="packages",
        load=visible_package,
        effects={
            "build": service.on_build,
            "refuse": service.on_refuse,
            "release": service.on_release,
            "destroy": service.on_destroy,
        },
        approval_subject=_manifest,
        second_factor=frozenset({"release", "revoke"}),
    ),
)
