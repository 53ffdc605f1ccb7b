"""Builds what the packages carry as data, from its upstreams. Not shipped; run from a checkout."""
