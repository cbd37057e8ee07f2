"""Inventory: uploads, record sets with their fields and levels, and the register of every copy."""
