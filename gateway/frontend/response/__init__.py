"""Sending an answer: its choices side by side, whole or streamed, to a client that may go away."""
