"""The limits of a key."""
