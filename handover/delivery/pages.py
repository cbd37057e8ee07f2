"""Pages of deliveries."""

from handover.delivery import pages_open

ROUTES = [*pages_open.ROUTES]
