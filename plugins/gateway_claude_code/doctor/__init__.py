"""Checks whether the installed CLI behaves as Dragoman relies on: `dragoman doctor`, and the
gateway's own check of a new CLI.

The CLI updates itself often, and the backend mostly relies on observed behaviour. So the CLI itself
is run here, by the backend's own code, against the embedded upstream.
"""
