"""The lines to and from one process, and what has to be said to it at once."""
