"""Accounts: people, how they prove who they are, their sessions and tokens, and their roles in the installation."""
