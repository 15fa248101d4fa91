"""This machine and this process: programs, environment, how Dragoman was installed."""
