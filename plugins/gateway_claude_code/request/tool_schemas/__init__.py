"""The client's tools as the model's API takes them: repaired schemas, renamed arguments.

`offered` is the whole; the other modules are its steps. Pure.
"""
