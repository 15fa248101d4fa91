"""Dragoman in a terminal: the banner of `serve`, and the everyday commands."""
