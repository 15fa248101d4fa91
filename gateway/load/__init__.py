"""How much is going on: requests, calls, turns, stalls of the event loop."""
