"""Small plugins for requests and answers. Each is off until it has a section in the YAML."""
