"""Agreements: NDA, entrustment, undertaking and closing confirmation, and how people sign them."""
