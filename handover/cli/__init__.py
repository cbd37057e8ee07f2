"""The command line: data on stdout, progress on stderr, exit codes that mean something."""
