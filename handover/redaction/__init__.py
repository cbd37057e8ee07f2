"""Redaction: a plan per field, a run per bidder, a second look by another person, and a scan of what came out."""
