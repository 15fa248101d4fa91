"""The observations of `dragoman doctor`: one process, one small conversation each."""
