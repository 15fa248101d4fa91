"""What asks the gateway under load, and holds what it gets against what is right."""
