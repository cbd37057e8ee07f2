"""Background work of the inventory."""

from handover.inventory.ingest import ingest, on_end
from handover.jobs import JobHandler

JOBS = {"inventory.ingest": JobHandler(ingest, on_end)}
