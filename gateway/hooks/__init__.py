"""Hooks: their specifications, finding and checking plugins, calling them."""
