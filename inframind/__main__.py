"""`python -m inframind`: the command line."""

from inframind.cli import main

main()
