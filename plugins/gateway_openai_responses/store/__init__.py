"""Responses that are kept: in a SQLite database, private and bounded."""
