"""`dragoman status`: the state of the gateway that runs."""
