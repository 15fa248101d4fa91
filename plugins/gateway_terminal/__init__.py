"""Dragoman in a terminal: what `serve` says at its start, and the commands of every day."""
