"""Answers by a schema: what the API and the CLI are given of it. Pure."""
