"""The table of request fields and their behaviour."""
