"""`python -m handover`."""

from handover.cli.main import main

main()
