"""handover runs a company transfer from the first NDA to certified destruction."""

__version__ = "0.1.0"
