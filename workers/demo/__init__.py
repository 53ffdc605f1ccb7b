"""The demo: trains over HTTP, generates from the result, prints a table."""
