"""Background work of the inventory."""

from handover.inventory.ingest import ingest, on_end
from handover.inventory.inspecting import conclude, inspect_part
from handover.jobs import JobHandler

JOBS = {
    "inventory.ingest": JobHandler(ingest, on_end),
    "inventory.inspect": JobHandler(inspect_part, on_end),
    "inventory.conclude": JobHandler(conclude, on_end),
}
