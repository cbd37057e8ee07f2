"""Attestations: what happened, gathered from the rooms, numbered, issued as sealed documents, and found again."""
