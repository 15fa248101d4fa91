"""From the hub to the wire: whole answers and chunks. Pure."""
