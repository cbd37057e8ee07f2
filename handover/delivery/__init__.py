"""Delivery: limited downloads, the receipt made with the key inside the package, and custody handover without data."""
