"""The Jenkins category: declarative pipelines."""
