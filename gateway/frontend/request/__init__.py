"""Reading a request: its body within limits, and the context of each of its answers."""
