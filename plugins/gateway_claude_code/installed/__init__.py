"""How the CLI came onto this machine, how old it is, and which command brings a newer one."""
