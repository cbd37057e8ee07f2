"""The demo: a whole transfer played through the real HTTP API by people who are each logged in as themselves."""
