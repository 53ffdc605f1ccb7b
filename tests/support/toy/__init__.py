"""A whole category in a few lines, with a family, a deep tool, a rubric and examples.

The ladder is tested with it without any real format, and the registry without any edit but its
line.
"""

from inframind.categories import CategoryPackage

TOY = CategoryPackage("toy", parent="tests.support")
"""The one line that registers it: `CATEGORIES["toy"] = TOY`."""
