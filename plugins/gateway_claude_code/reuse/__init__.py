"""A process after its conversation: what it holds, and whom it may serve next. Pure."""
