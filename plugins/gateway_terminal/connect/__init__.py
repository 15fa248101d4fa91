"""`dragoman connect`: settings for a client, printed, written or tested."""
