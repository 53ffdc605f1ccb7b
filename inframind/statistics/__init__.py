"""Statistics about runs: intervals of rates, agreement of raters."""
