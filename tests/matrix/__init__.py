"""Every model of the table times every parameter, over the real CLI and the strict stand-in."""
