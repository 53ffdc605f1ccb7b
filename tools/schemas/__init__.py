"""Builds the categories' schema data, one module a category: `python -m tools.schemas.compose`.

Each module's docstring names the packages that it reads. What it writes lies in the category's own
folder `data`, and is committed: a build is wanted only for a newer release of the upstream.
"""
