"""Whether a CLI may serve: the behaviours that are relied on, and the findings about each CLI."""
