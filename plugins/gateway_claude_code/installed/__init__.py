"""The installation of the CLI: its origin, its age, and the command for an update."""
