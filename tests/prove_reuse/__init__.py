"""Shows that a process that had other conversations before asks like one that had none.

`python -m tests.prove_reuse --sequences 300 --seed 1` runs random sequences of requests by eight
callers over the real backend and the real CLI.
"""
