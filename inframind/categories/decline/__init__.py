"""Declined requests: what an Infrastructure-as-Code model answers when it is asked for something
else.
"""
