"""Answers by a schema: the forms for the API and the CLI. Pure."""
