"""From the wire to the hub. Pure."""
