"""Users' own tasks: rows in the public's forms, proven by the verifier, as the stages use them.

A new form of row is read in `forms.py`; how rows are trained on is told by `example.py` and
`rendering.py`.
"""
