"""Asking the CLI about itself, and what is remembered of its answers."""
