"""The processes: their number, the line of requests for them, and those that wait for a request."""
