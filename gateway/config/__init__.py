"""The configuration: its keys, and which file a command uses."""
