"""The wire format: requests, their items, and tools."""
