"""The processes: how many, who gets the next one, which wait for what."""
