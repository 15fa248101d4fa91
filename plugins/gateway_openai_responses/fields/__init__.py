"""The table of request fields: what each does here."""
