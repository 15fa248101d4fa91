"""The client's tools as the model's API accepts them: repaired schemas, renamed arguments. Pure.

`offered` does it all; the other modules are its steps.
"""
