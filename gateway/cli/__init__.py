"""The command `dragoman`, and the core's own subcommands."""
