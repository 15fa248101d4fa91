"""Data from clients: pictures, characters, values held against schemas."""
