"""Packages (format version 1): manifest, ZIP, sealing, opening, verifying and receipts. Works offline, as a library."""
