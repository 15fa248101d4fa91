"""The scenarios of `dragoman doctor`: one process and one small conversation each."""
