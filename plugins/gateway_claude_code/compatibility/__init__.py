"""Which CLIs may serve: the behaviours that are relied on, and what was found of each CLI."""
