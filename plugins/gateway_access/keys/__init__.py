"""API keys: made, kept, listed and taken back."""
