"""Packages: building one encrypted archive for one verified key, attesting it, and releasing it by two people."""
