"""The wire format: requests, errors, JSON."""
