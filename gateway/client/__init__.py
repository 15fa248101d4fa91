"""Finding a gateway that runs: addresses, and where those of this user are."""
