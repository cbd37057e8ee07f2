"""Postal addresses in running text: mainland style, and the styles of North America and Europe."""
