"""Pages of recipients."""

from handover.recipients import pages_key

ROUTES = [*pages_key.ROUTES]
