"""Start, drive and end a process of the CLI."""
