"""The server in front of the application: sockets, HTTP/1.1, limits, stopping."""
