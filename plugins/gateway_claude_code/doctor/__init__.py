"""Does the installed CLI still do what Dragoman relies on? `dragoman doctor`, and the gateway's own
look at a CLI that it has not seen before.

The CLI updates itself often, and most of what the backend is built on is seen behaviour. So the
CLI itself is run here, by the backend's own code, against the embedded upstream.
"""
