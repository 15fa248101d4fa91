"""From requests on the wire to the hub's. Pure."""
