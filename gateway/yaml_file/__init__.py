"""Reading YAML: positions, bounds, valid keys, trust, and the wording of mistakes."""
