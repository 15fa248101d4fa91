"""Web pages: which may send requests, and which headers they get."""
