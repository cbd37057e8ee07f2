"""Documents: facts become a signed PDF/A that anybody can check offline, with its machine-readable twin inside."""
