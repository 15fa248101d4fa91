"""Recognising secrets in text, and keeping them out of output."""
