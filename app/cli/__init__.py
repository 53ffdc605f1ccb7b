"""The service's commands, a file for each noun.

The command `inframind` loads them where it runs from a checkout or an image.
"""
