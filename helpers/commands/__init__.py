"""The command line: one file a command, listed in `helpers.__main__`."""
