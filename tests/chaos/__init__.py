"""`make chaos`: random faults everywhere, against a real gateway with the real CLI, on loopback."""
