"""InfraMind: small language models for Infrastructure as Code, rewarded by real validation.

The library knows no service, no database and no queue. Importing it loads neither torch nor a web framework.
"""

__version__ = "0.1.0"
